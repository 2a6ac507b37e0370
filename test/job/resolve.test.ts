import { describe, expect, it } from 'vitest';
import { JobError } from '../../job/errors.js';
import { planSteps } from '../../job/plan.js';
import { presets } from '../../job/presets.js';
import { resolveSpec, type SpecSources } from '../../job/resolve.js';
import { parseSpecText } from '../../job/spec-text.js';
import { parseSpec } from '../../job/spec.js';

/** Lines of the error for these sources. */
function problems(sources: SpecSources): string[] {
  try {
    resolveSpec(sources);
  } catch (error) {
    if (error instanceof JobError && error.code === 'BAD_SPEC') return error.message.split('\n');
    throw error;
  }
  return [];
}

const preset = 'cluster-cnn3';
const minimal = 'name: mine\nmodel: cnn3\nepochs: 2\nshards: 4\nbatchPerShard: 8\n';

describe('presets', () => {
  it.each(Object.entries(presets))('%s is a valid spec of that name', (name, { spec }) => {
    expect(parseSpec(spec).name).toBe(name);
  });

  it.each([
    ['lecture-cnn3', 10_210],
    ['lecture-cnn4', 10_210],
    ['lecture-sharded', 10_210],
    ['cluster-cnn3', 1_435],
    ['cluster-cnn4', 1_435],
  ])('%s takes %i steps on CIFAR-10', (name, steps) => {
    expect(planSteps(resolveSpec({ preset: name }), 50_000).totalSteps).toBe(steps);
  });
});

describe('resolveSpec', () => {
  it('lets another model replace a topology', () => {
    const topology = { class_name: 'Sequential', config: {} };
    const file = { value: { ...presets[preset].spec, model: 'mine', topology }, locate: () => 'job.json' };
    expect(resolveSpec({ file })).toMatchObject({ model: 'mine', topology });
    const other = resolveSpec({ file, sets: ['model=cnn4'] });
    expect(other.model).toBe('cnn4');
    expect(other.topology).toBeUndefined();
  });

  it('takes a field of the loss without its type', () => {
    const { loss } = resolveSpec({ preset, sets: ['loss.labelSmoothing=0.1'] });
    expect(loss).toEqual({ type: 'softmaxCrossEntropy', labelSmoothing: 0.1 });
  });

  it('lets the file override the preset, and settings both', () => {
    const file = parseSpecText('epochs: 3\nseed: 5\noptimizer: { momentum: 0.8 }', 'job.yaml');
    const spec = resolveSpec({
      preset,
      file,
      sets: ['seed=7', 'optimizer.learningRate=0.02', 'data.augment={flip: true}'],
    });
    expect(spec).toMatchObject({ name: preset, epochs: 3, seed: 7, batchPerShard: 49 });
    expect(spec.optimizer).toEqual({ type: 'sgd', learningRate: 0.02, momentum: 0.8, nesterov: false, weightDecay: 0 });
    expect(spec.data.augment).toEqual({ flip: true, crop: 0 });
  });

  it('takes a whole spec from a file or from settings alone', () => {
    const file = parseSpecText(minimal, 'job.yaml');
    expect(resolveSpec({ file })).toEqual(
      parseSpec({ name: 'mine', model: 'cnn3', epochs: 2, shards: 4, batchPerShard: 8 }),
    );
    expect(
      resolveSpec({
        sets: minimal
          .trim()
          .split('\n')
          .map((line) => line.replace(': ', '=')),
      }),
    ).toEqual(resolveSpec({ file }));
  });

  it('replaces the batch of one kind by that of the other', () => {
    expect(resolveSpec({ preset, sets: ['globalBatch=49'] })).toMatchObject({ globalBatch: 49 });
    expect(resolveSpec({ preset, sets: ['globalBatch=49'] }).batchPerShard).toBeUndefined();
    expect(resolveSpec({ preset: 'lecture-sharded', sets: ['batchPerShard=9'] }).globalBatch).toBeUndefined();
  });

  it('does not choose between two batches of the same source', () => {
    expect(problems({ preset, sets: ['globalBatch=49', 'batchPerShard=9'] })).toEqual([
      'job spec: 1 problem',
      '  batchPerShard: expected exactly one of batchPerShard and globalBatch, got both (--set batchPerShard)',
    ]);
  });

  it('drops the fields of another optimizer when the type changes, in any order of settings', () => {
    const adam = { type: 'adam', learningRate: 0.002, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 };
    const sets = ['optimizer.type=adam', 'optimizer.learningRate=0.002'];
    expect(resolveSpec({ preset, sets }).optimizer).toEqual(adam);
    expect(resolveSpec({ preset, sets: sets.toReversed() }).optimizer).toEqual(adam);
  });

  it('needs no type to change a field of an absent section', () => {
    const file = parseSpecText(minimal, 'job.yaml');
    const spec = resolveSpec({ file, sets: ['optimizer.momentum=0.5', 'schedule.warmupSteps=3'] });
    expect(spec.optimizer).toMatchObject({ type: 'sgd', momentum: 0.5 });
    expect(spec.schedule).toEqual({ type: 'constant', warmupSteps: 3 });
  });

  it('reports all problems at once, each with its path and its place', () => {
    const file = parseSpecText(`${minimal}seed: -1\noptimizer:\n  type: sgd\n  momentum: 1.5\n`, 'job.yaml');
    expect(problems({ file, sets: ['epochs=many'] })).toEqual([
      'job spec: 3 problems',
      '  seed: expected a whole number from 0 to 4294967295, got -1 (job.yaml:6)',
      '  epochs: expected a whole number from 1 to 100000, got "many" (--set epochs)',
      '  optimizer.momentum: expected a number of at least 0 and below 1, got 1.5 (job.yaml:9)',
    ]);
  });

  it.each([
    ['optimizer.learninRate=1', 'optimizer.learninRate: unknown key; did you mean optimizer.learningRate?'],
    ['optimiser.momentum=1', 'optimiser: unknown key; did you mean optimizer?'],
    ['learningRate=1', 'learningRate: unknown key; did you mean optimizer.learningRate?'],
    ['BatchPerShard=1', 'BatchPerShard: unknown key; did you mean batchPerShard?'],
    ['warmupSteps=1', 'warmupSteps: unknown key; did you mean schedule.warmupSteps?'],
    ['frobnicate=1', 'frobnicate: unknown key'],
    ['__proto__.x=1', '__proto__: unknown key'],
  ])('refuses --set %s: %s', (set, problem) => {
    expect(problems({ preset, sets: [set] })).toEqual([
      'job spec: 1 problem',
      `  ${problem} (--set ${set.slice(0, set.indexOf('='))})`,
    ]);
  });

  it.each([
    ['name=20260131', 'name', '20260131'],
    ['name=1e3', 'name', '1e3'],
    ['model="3.json"', 'model', '3.json'],
    ['data.dataset=cifar10', 'data', { dataset: 'cifar10', augment: { flip: false, crop: 0 } }],
  ])('takes %s as text, as the field is text', (set, key, value) => {
    expect(resolveSpec({ preset, sets: [set] })).toMatchObject({ [key]: value });
  });

  it('asks for quotes where a file has a number for text', () => {
    expect(problems({ file: parseSpecText(minimal.replace('mine', '20260131'), 'job.yaml') })).toEqual([
      'job spec: 1 problem',
      '  name: expected text, got 20260131; put it in quotes to make it text (job.yaml:1)',
    ]);
  });

  it('names what a type needs, and the setting that chose the type', () => {
    expect(problems({ preset, sets: ['schedule.type=step'] })).toEqual([
      'job spec: 1 problem',
      '  schedule.everyEpochs: expected a whole number from 1 to 100000, got nothing (--set schedule.type)',
    ]);
  });

  it('takes what merge keys merge', () => {
    const merged = parseSpecText(`common: &c { seed: 5, epochs: 9 }\n<<: *c\n${minimal}`, 'job.yaml');
    expect(resolveSpec({ file: merged })).toMatchObject({ seed: 5, epochs: 2 });
  });

  it('rejects a top-level key that only holds anchors, or that looks like a misspelt field', () => {
    const refused = (line: string) => problems({ file: parseSpecText(`${line}\n${minimal}`, 'job.yaml') })[1];
    expect(refused('common: &c { seed: 5 }')).toBe('  common: unknown key (job.yaml:1)');
    const misspelt = 'optimiser: &o { momentum: 0.5 }\noptimizer: *o';
    expect(refused(misspelt)).toBe('  optimiser: unknown key; did you mean optimizer? (job.yaml:1)');
  });

  it('rejects a malformed setting', () => {
    expect(problems({ preset, sets: ['epochs'] })).toEqual([
      'set: expected PATH=VALUE, got "epochs"; example: optimizer.learningRate=0.01',
    ]);
    expect(problems({ preset, sets: ['data={'] })[0]).toMatch(/^set: expected a YAML value, got "data=\{"; /);
  });

  it('rejects an unknown preset, with a guess', () => {
    expect(problems({ preset: 'cluster-cnn' })).toEqual([
      'preset: expected one of lecture-cnn3, lecture-cnn4, lecture-sharded, cluster-cnn3, cluster-cnn4, ' +
        'got "cluster-cnn"; did you mean cluster-cnn3 or cluster-cnn4?',
    ]);
  });

  it('rejects a file that is a list, and treats an empty one as no settings', () => {
    expect(problems({ preset, file: parseSpecText('- a', 'job.yaml') })).toEqual([
      'spec file: expected keys and values, got ["a"] (job.yaml:1)',
    ]);
    expect(resolveSpec({ preset, file: parseSpecText('# nothing\n', 'job.yaml') }).name).toBe(preset);
  });
});
