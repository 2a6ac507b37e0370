import { readFile } from 'node:fs/promises';
import type { ModelLayout, ProgramSpec, TrainResult } from '../../engine/engine.js';
import { compileProgram } from '../../engine/native/compile-program.js';
import { decodeKernelPlan } from '../../engine/native/kernel-plan.js';
import { loadNative, wasmFile } from '../../engine/native/load/load.js';
import type { NativeRuntime } from '../../engine/native/load/native.js';
import { RunningProgram } from '../../engine/native/running-program.js';
import { drawMasks } from '../../job/dropout.js';
import type { JobManifest } from '../../job/manifest.js';
import { readRunModel } from '../model/read-run.js';
import type { ShardInputs } from './page-data.js';
import type { ShardTask } from './shard-task.js';

/** A shard's inputs, and its results by this computer's kernels. */
export interface ComputedShard {
  readonly manifest: JobManifest;
  readonly layout: ModelLayout;
  readonly stepsPerEpoch: number;
  readonly inputs: ShardInputs<Uint8Array>;
  readonly result: TrainResult;
  /** Kernels that computed the result. */
  readonly runtime: Pick<NativeRuntime, 'isa' | 'reason'>;
}

/**
 * Compiles the program of a shard's step and runs it on this computer, with the parameters of the run's checkpoint.
 * Load this file by dynamic `import()` only: it loads TF.js.
 * @throws JobError BAD_RUN_DIRECTORY for a damaged checkpoint, EngineError
 */
export async function computeShard({ run, step, shard, batch }: ShardTask): Promise<ComputedShard> {
  const { manifest, model, stepsPerEpoch } = await readRunModel(run, { step });
  const spec = programSpec(manifest, batch.labels.length);
  const compiled = await compileProgram(spec);
  const masks = drawMasks(compiled.masks, { seed: manifest.spec.seed, step, shard });
  const runtime = loadNative();
  const { plan, constants } = decodeKernelPlan(compiled.bytes);
  const program = new RunningProgram(runtime.createProgram(plan, constants, 1), spec, compiled);
  const { params, layout } = model;
  const result = program.train({ params, state: new Float32Array(0), ...batch, masks });
  await program.dispose();
  const inputs: ShardInputs<Uint8Array> = {
    plan: compiled.bytes,
    wasm: await readFile(wasmFile),
    params: bytesOf(params),
    images: batch.images,
    labels: bytesOf(batch.labels),
    masks: Buffer.concat(masks.map(bytesOf)),
  };
  return { manifest, layout, stepsPerEpoch, inputs, result, runtime };
}

function programSpec({ spec, topology, dataset }: JobManifest, batch: number): ProgramSpec {
  const { imageShape, classes, normalise } = dataset;
  return { topology, imageShape, classes: classes.length, normalise, loss: spec.loss, batch, mode: 'train' };
}

function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}
