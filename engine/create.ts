import type { Engine } from './engine.js';

/** The engine that a job's spec names, with its heavy parts loaded only now. */
export async function createEngine({ name, threads }: { name: 'onnx'; threads: number }): Promise<Engine> {
  switch (name) {
    case 'onnx': {
      const { createOnnxEngine } = await import('./onnx/engine.js');
      return createOnnxEngine({ threads });
    }
    default:
      return name satisfies never;
  }
}
