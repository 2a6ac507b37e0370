import { existsSync } from 'node:fs';
import { createEngine, type EngineChoice } from '../../engine/create.js';
import type { Engine } from '../../engine/engine.js';
import { cudaProviderFile } from '../../engine/onnx/cuda-provider.js';
import { softwareGpu, tensorflowDirectory } from '../programs.js';

/** An engine on a device: a row of the tests that every engine must pass. */
export interface EngineUnderTest {
  readonly title: string;
  /** What `createEngine` takes. */
  readonly options: EngineChoice;
  /** Missing requirement, if it can't run on this machine; its tests are then skipped. */
  readonly skip?: string | undefined;
  /** A software device, for which programs take long to compile: it runs fewer tests, with more time. */
  readonly slow?: true;
}

const onCpu = { name: 'onnx', threads: 1, device: 'cpu' } as const;

/** Every engine and device of Lockstep. `test/engine/contract.test.ts` defines their common behaviour. */
export const enginesUnderTest: readonly EngineUnderTest[] = [
  { title: 'native', options: { name: 'native', threads: 1 } },
  { title: 'native, WebAssembly', options: { name: 'native', threads: 1, isa: 'wasm' } },
  { title: 'onnx, cpu, portable', options: { ...onCpu, lowering: 'portable' } },
  { title: 'onnx, cpu, im2col', options: { ...onCpu, lowering: 'im2col' } },
  {
    title: 'onnx, webgpu in software',
    options: { name: 'onnx', threads: 1, device: 'webgpu' },
    skip: softwareGpu === undefined ? "Chromium's SwiftShader" : undefined,
    slow: true,
  },
  { title: 'onnx, cuda', options: { name: 'onnx', threads: 1, device: 'cuda' }, skip: whyNoCuda() },
  {
    title: 'tensorflow',
    options: { name: 'tensorflow', threads: 1, directory: tensorflowDirectory },
    skip: tensorflowDirectory === undefined ? "TF.js's native binding in LOCKSTEP_TFJS_NODE" : undefined,
  },
];

function whyNoCuda(): string | undefined {
  if (!existsSync('/proc/driver/nvidia/gpus')) return 'an NVIDIA GPU';
  return cudaProviderFile() === undefined ? "ONNX Runtime's CUDA library" : undefined;
}

/** Title of a group of tests on an engine, with the missing requirement if they are skipped. */
export function titleOf({ title, skip }: EngineUnderTest): string {
  return skip === undefined ? title : `${title} (needs ${skip})`;
}

/** Those that can run here, fast enough for tests with many programs. */
export function quickEngines(): Promise<Engine[]> {
  const quick = enginesUnderTest.filter(({ skip, slow }) => skip === undefined && !slow);
  return Promise.all(quick.map(({ options }) => createEngine(options)));
}
