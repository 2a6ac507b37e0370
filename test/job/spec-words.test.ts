import { expect, it } from 'vitest';
import { JobError } from '../../job/errors.js';
import { resolveSpec } from '../../job/resolve.js';
import { inputSchema, knownPaths } from '../../job/spec-problems.js';
import { jobSpecSchema } from '../../job/spec.js';

const paths = knownPaths(inputSchema(jobSpecSchema));
/** Values that are wrong for nearly every field, in YAML as for `--set`. */
const values = ['null', '"x"', '""', '-1', '1.5', '1e9', '.nan', '.inf', 'true', '[]', '[1]', '{}', '{x: 1}'];

/** The problems of one wrong value, without the heading. */
function problems(set: string): string[] {
  const [, type, field] = /^(optimizer|schedule)\.(\w+)=/.exec(set) ?? [];
  const types: Record<string, string> = { beta1: 'adam', epsilon: 'adam', beta2: 'adam', everyEpochs: 'step' };
  const chosen = types[field ?? ''] ?? (field === 'factor' ? 'step' : field === 'finalFactor' ? 'cosine' : undefined);
  const more = chosen === undefined ? [] : [`${type}.type=${chosen}`];
  try {
    resolveSpec({ preset: 'cluster-cnn3', sets: [...more, set] });
    return [];
  } catch (error) {
    if (error instanceof JobError && error.code === 'BAD_SPEC') return error.message.split('\n').slice(1);
    throw error;
  }
}

it.each(paths.map((path) => path.join('.')))('%s: every wrong value is refused in our own words', (path) => {
  const found = values.flatMap((value) => problems(`${path}=${value}`));
  expect(found.length).toBeGreaterThan(3);
  for (const problem of found) {
    expect(problem).toMatch(/^ {2}[\w.]+: (expected .+, got .+|unknown key.*) \(--set [\w.]+\)$|got nothing$/);
    expect(problem).not.toMatch(/invalid|received|too (big|small)|unrecognized|another value/i);
  }
});

it('walks over all sections', () => {
  expect(paths.length).toBeGreaterThan(45);
  expect(paths.map((path) => path.join('.'))).toEqual(
    expect.arrayContaining(['data.image.fit', 'schedule.everyEpochs', 'optimizer.beta2', 'loss.labelSmoothing']),
  );
});
