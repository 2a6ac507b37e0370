import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { JobManifest } from '../../job/manifest.js';
import { lockstep, scratchDirectory, smallJob } from './lockstep.js';

const scratch = scratchDirectory();
afterAll(scratch.remove);

/** A model that is not built in, with dropout behind a convolution and behind a dense layer. */
const module = `
export default ({ tf, imageShape, classes }) => tf.sequential({ name: 'net', layers: [
  tf.layers.conv2d({ name: 'conv', inputShape: imageShape, filters: 4, kernelSize: 5, strides: 3, activation: 'relu' }),
  tf.layers.dropout({ name: 'drop1', rate: 0.25 }),
  tf.layers.flatten({ name: 'flatten' }),
  tf.layers.dense({ name: 'dense', units: 16, activation: 'tanh' }),
  tf.layers.dropout({ name: 'drop2', rate: 0.5 }),
  tf.layers.dense({ name: 'logits', units: classes }),
] });`;
const spec = `
name: own
model: ./net.mjs
shards: 5
batchPerShard: 10
epochs: 1
loss: { type: softmaxCrossEntropy, labelSmoothing: 0.1 }
data: { dataset: synthetic, limit: 102 }
`;

async function train(...args: readonly string[]): Promise<{ digest: string | undefined; job: JobManifest }> {
  const run = join(
    scratch.path,
    `run-${args
      .join('-')
      .replace(/[^\w-]/g, '_')
      .slice(-60)}`,
  );
  const { code, stdout, stderr } = await lockstep(['train', ...args, '--run', run]);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  const job = JSON.parse(readFileSync(join(run, 'job.json'), 'utf8')) as JobManifest;
  return { digest: /Final digest: ([0-9a-f]{64})/.exec(stdout)?.[1], job };
}

describe('a model that is not built in', () => {
  it('gives the same bits as a module on 1 and 3 workers and as topology JSON on 2, dropout included', async () => {
    // The module is next to the spec, which names it by a relative path.
    mkdirSync(join(scratch.path, 'job'));
    const [job, topology] = [join(scratch.path, 'job', 'job.yaml'), join(scratch.path, 'net.json')];
    writeFileSync(join(scratch.path, 'job', 'net.mjs'), module);
    writeFileSync(job, spec);
    const one = await train(job, '--allow-module', '--workers', '1');
    expect(one.digest).toBeDefined();
    expect(one.job.spec).toMatchObject({ model: 'net', topology: one.job.topology });
    expect((await train(job, '--allow-module', '--workers', '3')).digest).toBe(one.digest);
    writeFileSync(topology, JSON.stringify(one.job.topology));
    const fromJson = await train(job, '--model', topology, '--workers', '2');
    expect(fromJson.digest).toBe(one.digest);
    expect(fromJson.job.digest).toBe(one.job.digest);
  });

  it("is rejected when submitted, with layer and kernel, if it can't be trained", async () => {
    const file = join(scratch.path, 'large.mjs');
    const layers = `tf.layers.upSampling2d({ name: 'larger', inputShape: imageShape }), tf.layers.flatten(),
                    tf.layers.dense({ units: classes })`;
    writeFileSync(file, `export default ({ tf, imageShape, classes }) => tf.sequential({ layers: [${layers}] });`);
    const run = join(scratch.path, 'refused');
    const { code, stderr } = await lockstep(['train', ...smallJob, '--model', file, '--run', run]);
    expect(code).toBe(2);
    expect(stderr).toContain('got ResizeNearestNeighbor in layer "larger"; change the model');
  });

  it('is rejected with exit code 2 when a kernel is larger than its image, before a worker has started', async () => {
    const file = moduleOf(
      'large-kernel',
      "tf.layers.conv2d({ name: 'big', inputShape: imageShape, filters: 2, kernelSize: 33 })",
    );
    const { code, stdout, stderr } = await lockstep([
      'train',
      ...smallJob,
      '--model',
      file,
      '--run',
      join(scratch.path, 'big'),
    ]);
    expect(code).toBe(2);
    expect(stderr).toContain('got [0, 0, 2] from [32, 32, 3] in layer "big"');
    expect(stdout).not.toContain('worker ready');
  });

  it('trains with a line of advice, in the output and in the log, when its logits are bounded', async () => {
    const file = moduleOf(
      'limited',
      'tf.layers.averagePooling2d({ poolSize: 8, inputShape: imageShape })',
      "activation: 'tanh'",
    );
    const run = join(scratch.path, 'limited');
    const { code, stdout } = await lockstep(['train', ...smallJob, '--model', file, '--run', run]);
    expect(code).toBe(0);
    const advice = 'expected unbounded logits as output, got values from -1 to 1';
    expect(stdout).toContain(`${advice} in layer "logits"`);
    expect(readFileSync(join(run, 'log.jsonl'), 'utf8')).toContain(advice);
  });
});

/** Writes a module with `first`, then flatten and logits; returns its path. */
function moduleOf(name: string, first: string, logits = ''): string {
  const file = join(scratch.path, `${name}.mjs`);
  const rest = `tf.layers.flatten({ name: 'flat' }), tf.layers.dense({ name: 'logits', units: classes, ${logits} })`;
  writeFileSync(
    file,
    `export default ({ tf, imageShape, classes }) => tf.sequential({ layers: [${first}, ${rest}] });`,
  );
  return file;
}
