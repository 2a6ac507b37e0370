import { z } from 'zod';
import { engineProblems } from './engine-problems.js';
import { imageFits } from './image-format.js';
import { isModelFile, isModelName, modelNames } from './models.js';
import { JobError } from './errors.js';
import { listFirst } from './spec-limits.js';
import { specProblems, type SpecPath } from './spec-problems.js';

/**
 * The job spec: everything that determines a job's result (see `job-digest.ts`), and how the run is checked and saved.
 * The number of workers, the location of the data and the output aren't included.
 */

const count = (what: string, max: number) => z.int().min(1).max(max).describe(what);
const factor = (what: string) => z.number().min(0).max(1).describe(what);
const decay = (what: string) => z.number().min(0).lt(1).describe(what);
const learningRate = (fallback: number) =>
  z.number().positive().max(100).default(fallback).describe('peak learning rate, before the schedule');

const sgd = z.strictObject({
  type: z.literal('sgd'),
  learningRate: learningRate(0.01),
  momentum: decay('share of the previous update that is kept').default(0.9),
  nesterov: z.boolean().default(false).describe('Nesterov momentum'),
  weightDecay: z.number().min(0).max(1).default(0).describe('added to the gradient (L2)'),
});

const adamFields = {
  learningRate: learningRate(0.001),
  beta1: decay('decay rate of the mean of gradients').default(0.9),
  beta2: decay('decay rate of the mean of squared gradients').default(0.999),
  epsilon: z.number().positive().max(1).default(1e-8).describe('added to the denominator'),
};
const adam = z.strictObject({
  type: z.literal('adam'),
  ...adamFields,
  weightDecay: z.number().min(0).max(1).default(0).describe('added to the gradient (L2)'),
});
const adamw = z.strictObject({
  type: z.literal('adamw'),
  ...adamFields,
  weightDecay: z.number().min(0).max(1).default(0.01).describe('subtracted from the parameters directly (decoupled)'),
});

const optimizer = z.discriminatedUnion('type', [sgd, adam, adamw]);
export const optimizerTypes = optimizer.options.map(({ shape }) => shape.type.value);

const warmupSteps = z
  .int()
  .min(0)
  .max(1_000_000)
  .default(0)
  .describe('steps over which the rate rises linearly to learningRate');
const schedule = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('constant'), warmupSteps }),
  z.strictObject({
    type: z.literal('step'),
    warmupSteps,
    everyEpochs: count('epochs between two reductions of the rate', 100_000),
    factor: factor('factor of each reduction').default(0.1),
  }),
  z.strictObject({
    type: z.literal('cosine'),
    warmupSteps,
    finalFactor: factor('share of learningRate at the last step').default(0),
  }),
]);

/** Largest number of threads of a worker. */
export const mostThreads = 64;

/** Fields of `data` that only an image folder has. */
export const folderFields = ['path', 'image', 'testShare'] as const;

export const jobSpecSchema = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z0-9]([a-z0-9-]{0,51}[a-z0-9])?$/, 'lower-case letters, digits and dashes, 1 to 53 characters')
      .describe('name of the job and of its run directory: 1 to 53 lower-case letters, digits and dashes'),
    model: z
      .string()
      .min(1)
      .max(4096)
      .describe(`built-in model: ${modelNames.join(', ')}; or a file: topology JSON, or a module that builds a model`),
    topology: z
      .record(z.string(), z.unknown())
      .optional()
      .describe('TF.js Layers topology of a model that is not built in; model is then its title'),
    loss: z
      .discriminatedUnion('type', [
        z.strictObject({
          type: z.literal('softmaxCrossEntropy'),
          labelSmoothing: z
            .number()
            .min(0)
            .lt(1)
            .default(0)
            .describe('share of the target distribution that is spread evenly over the classes; 0.1 is usual'),
        }),
      ])
      .prefault({ type: 'softmaxCrossEntropy' }),
    seed: z.int().min(0).max(0xffffffff).default(1).describe('seed of initial weights, sample order and augmentation'),
    epochs: count('passes over the training set', 100_000),
    shards: count('fixed parts of the training set; each contributes to every step', 1024),
    batchPerShard: count('samples of each shard per step; this or globalBatch', 1024).optional(),
    globalBatch: count('samples of all shards together per step; this or batchPerShard', 1024 * 1024).optional(),
    data: z
      .strictObject({
        dataset: z
          .enum(['cifar10', 'synthetic', 'folder'])
          .default('cifar10')
          .describe('training and test images; folder: PNG or JPEG images in class folders'),
        path: z.string().min(1).max(4096).optional().describe('with folder: its directory; --data overrides it'),
        image: z
          .strictObject({
            height: count('height, pixels', 1024).default(32),
            width: count('width, pixels', 1024).default(32),
            channels: z.literal([1, 3]).default(3).describe('color channels; 1: grey'),
            fit: z
              .enum(imageFits)
              .default('cover')
              .describe('how to fit images to this size: cover crops, contain adds borders, fill stretches'),
          })
          .optional()
          .describe('with folder: size and channels of every image; default: 32×32, three channels, cover'),
        testShare: z
          .number()
          .gt(0)
          .lt(1)
          .optional()
          .describe('with folder: share of images for testing if there is no test/; default: 0.2'),
        limit: count('for trials: use only this many images of each batch', 1_000_000).optional(),
        augment: z
          .strictObject({
            flip: z.boolean().default(false).describe('mirror half of the images'),
            crop: z.int().min(0).max(16).default(0).describe('pixels of zero padding before a random crop; 4 is usual'),
          })
          .prefault({}),
      })
      .prefault({}),
    optimizer: optimizer.prefault({ type: 'sgd' }),
    schedule: schedule.prefault({ type: 'constant' }),
    evaluation: z
      .strictObject({
        batch: count('test images per run of the evaluation program', 2000).default(100),
        everyEpochs: z
          .int()
          .min(0)
          .max(100_000)
          .default(1)
          .describe('epochs between evaluations; 0: only after the last epoch'),
      })
      .prefault({}),
    engine: z
      .strictObject({
        name: z
          .enum(['native', 'onnx', 'tensorflow'])
          .default('native')
          .describe(
            'native: CPUs; onnx: GPUs, needs onnxruntime-node; tensorflow: needs @tensorflow/tfjs-node or -gpu; ' +
              'see docs/guides/engines.md',
          ),
        threads: z
          .int()
          .min(1)
          .max(mostThreads)
          .default(1)
          .describe('threads per worker; native: changes no bit; tensorflow: 1 or 2, can change bits'),
        lowering: z
          .enum(['auto', 'portable', 'im2col'])
          .default('auto')
          .describe('onnx: how operations are lowered; auto: im2col'),
        device: z
          .string()
          .max(8)
          .regex(/^(auto|cpu|cuda(:\d{1,2})?|webgpu)$/, 'auto, cpu, cuda, cuda:0 (the first GPU), … or webgpu')
          .default('auto')
          .describe(
            'native: auto or cpu; onnx: auto, which is cuda, cuda:N (GPU with index N) or webgpu; tensorflow: auto',
          ),
        precision: z
          .enum(['float32', 'tf32'])
          .default('float32')
          .describe('onnx on cuda: tf32 rounds the factors of products to 10 bits, to use tensor cores'),
      })
      .prefault({}),
    minWorkers: count('number of ready workers below which the job waits between steps', 1024).default(1),
    numerics: z
      .enum(['strict', 'mixed'])
      .default('strict')
      .describe('worker whose results differ in any bit; strict: rejected; mixed: admitted, and the run is marked'),
    onNonFinite: z
      .enum(['fail', 'skip'])
      .default('fail')
      .describe('step with NaN or infinity; fail: the job fails; skip: the update is skipped and counted'),
    audit: factor('share of shard-steps that two workers compute and compare bit by bit').default(0),
    checkpoint: z
      .strictObject({
        everySteps: z
          .int()
          .min(0)
          .max(1_000_000)
          .default(200)
          .describe("steps between checkpoints, in addition to one at each epoch's end; 0: only those"),
      })
      .prefault({}),
  })
  .superRefine((spec, context) => {
    if ((spec.batchPerShard === undefined) === (spec.globalBatch === undefined)) {
      context.addIssue({
        code: 'custom',
        path: ['batchPerShard'],
        message: `expected exactly one of batchPerShard and globalBatch, got ${spec.globalBatch === undefined ? 'neither' : 'both'}`,
      });
    }
    if (spec.globalBatch !== undefined && spec.globalBatch < spec.shards) {
      context.addIssue({
        code: 'custom',
        path: ['globalBatch'],
        message: `expected at least one sample per shard (${spec.shards}), got ${spec.globalBatch}`,
      });
    }
    for (const field of folderFields) {
      if (spec.data.dataset === 'folder' || spec.data[field] === undefined) continue;
      const message = `expected data.dataset: folder with this field, got ${spec.data.dataset}`;
      context.addIssue({ code: 'custom', path: ['data', field], message });
    }
    if (spec.topology === undefined && !isModelName(spec.model) && !isModelFile(spec.model)) {
      context.addIssue({
        code: 'custom',
        path: ['model'],
        message:
          `expected one of ${modelNames.join(', ')}, or a file that ends in .json, .js or .mjs, ` +
          `got ${JSON.stringify(spec.model)}`,
      });
    }
    if (spec.optimizer.type === 'sgd' && spec.optimizer.nesterov && spec.optimizer.momentum === 0) {
      context.addIssue({
        code: 'custom',
        path: ['optimizer', 'nesterov'],
        message: 'expected momentum above 0 with nesterov, got momentum 0',
      });
    }
    for (const { field, message } of engineProblems(spec.engine)) {
      context.addIssue({ code: 'custom', path: ['engine', field], message });
    }
  });

/** A spec with all defaults. */
export type JobSpec = z.infer<typeof jobSpecSchema>;
/** A spec as a user writes it. */
export type JobSpecInput = z.input<typeof jobSpecSchema>;
export type OptimizerSpec = JobSpec['optimizer'];
export type ScheduleSpec = JobSpec['schedule'];
export type AugmentSpec = JobSpec['data']['augment'];

/**
 * Validates a spec and fills in its defaults.
 * @param locate - source of the value at a path, for messages; undefined if unknown.
 * @throws JobError BAD_SPEC that lists all problems with their paths, including unknown keys.
 */
export function parseSpec(value: unknown, locate?: (path: SpecPath) => string | undefined): JobSpec {
  const result = jobSpecSchema.safeParse(value);
  if (result.success) return result.data;
  const problems = specProblems(result.error.issues, jobSpecSchema, value);
  const lines = listFirst(problems, ({ path, message }) => {
    const place = locate?.(path);
    return `  ${path.join('.') || '(whole spec)'}: ${message}${place === undefined ? '' : ` (${place})`}`;
  });
  const number = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
  throw new JobError('BAD_SPEC', `job spec: ${number}\n${lines.join('\n')}`);
}
