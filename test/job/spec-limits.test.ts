import { describe, expect, it } from 'vitest';
import { resolveSpec } from '../../job/resolve.js';
import { maxSpecBytes } from '../../job/spec-limits.js';
import { parseSpecText } from '../../job/spec-text.js';

const lines = (count: number, line: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => line(i)).join('\n');
const read = (text: string) => resolveSpec({ preset: 'cluster-cnn3', file: parseSpecText(text, 'job.yaml') });
const refusal = (text: string): string => {
  try {
    read(text);
  } catch (error) {
    expect(error).toMatchObject({ code: 'BAD_SPEC' });
    return (error as Error).message;
  }
  throw new Error('expected a refusal');
};

describe('a hostile job file', () => {
  it.each([
    ['brackets', '['.repeat(100_000), 100_000],
    ['balanced brackets', `a: ${'['.repeat(201)}${']'.repeat(201)}`, 201],
    ['braces', '{a: '.repeat(50_000), 50_000],
    ['dashes in one line', '- '.repeat(100_000), 100_000],
    ['indentation', lines(900, (i) => `${' '.repeat(i)}a:`), 449],
  ])('is refused for its nesting before it is parsed: %s', (_, text, depth) => {
    expect(refusal(text)).toBe(
      `spec file: expected at most 200 nested lists and sections, got ${depth} or more; job.yaml; flatten it`,
    );
  });

  it('is refused for its size before it is parsed', () => {
    expect(refusal(`#${' '.repeat(maxSpecBytes)}`)).toContain('spec file: expected at most 2 MiB, got more; job.yaml');
    expect(read(`#${' '.repeat(maxSpecBytes - 1)}`).model).toBe('cnn3');
  });

  it('may have 200 levels, which the parser takes', () => {
    const nested = `${'['.repeat(199)}1${']'.repeat(199)}`;
    expect(read(`model: x\ntopology: {a: ${nested}}`).topology).toEqual({ a: JSON.parse(nested) as unknown });
    const indented = `model: x\ntopology:\n${lines(390, (i) => `${' '.repeat(i + 1)}a:`)}`;
    expect(JSON.stringify(read(indented).topology).match(/"a"/g)).toHaveLength(390);
  });

  it('with many aliases, or ones that multiply, is refused', () => {
    const many = `a: &a 1\nb: [${'*a, '.repeat(1001)}]`;
    expect(refusal(many)).toContain('1001 aliases; the limit is 1000');
    const bomb = `a: &a [x, x, x, x]\n${lines(9, (i) => `b${i}: &b${i} [${`*${i === 0 ? 'a' : `b${i - 1}`}, `.repeat(9)}]`)}`;
    expect(refusal(bomb)).toContain('Excessive alias count');
  });

  it('with many problems has the first 50 listed', () => {
    const message = refusal(lines(5_000, (i) => `k${i}: 1`));
    expect(message).toMatch(/^job spec: 5000 problems\n {2}k0: unknown key \(job\.yaml:1\)\n/);
    expect(message.endsWith('\n  and 4950 more')).toBe(true);
    expect(message.split('\n')).toHaveLength(52);
    expect(refusal("'\n".repeat(1000)).split('\n')).toHaveLength(52);
  });
});

it('a repeated key is refused with its line; a repeated merge is not', () => {
  expect(refusal('epochs: 1\nseed: 2\nepochs: 3')).toBe(
    'spec file: expected YAML or JSON\n  job.yaml:3: Map keys must be unique',
  );
  expect(refusal('data: {limit: 1, limit: 1}')).toContain('job.yaml:1: Map keys must be unique');
  const merged = 'a: &a {epochs: 2}\nb: &b {seed: 3}\n<<: *a\n<<: *b';
  expect(read(merged)).toMatchObject({ epochs: 2, seed: 3 });
});
