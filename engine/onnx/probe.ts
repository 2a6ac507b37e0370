import type { CompiledProgram } from '../cache/entry.js';
import type { Feed } from '../feeds.js';
import type { Device } from './device.js';
import { cpu } from './device.js';
import { OnnxSession } from './session.js';

/** Largest of ‖actual − expected‖ / ‖expected‖ over the outputs of a program; the expected ones are computed on the CPU. */
export async function probeDifference(
  actual: CompiledProgram,
  expected: CompiledProgram,
  device: Device,
): Promise<number> {
  const feeds = { params: probeInput(expected.parameterCount) };
  const wanted = await runOnce(expected.bytes, cpu, feeds);
  const found = await runOnce(actual.bytes, device, feeds);
  return Math.max(...Object.keys(wanted).map((name) => difference(found[name]!, wanted[name]!)));
}

/** Values in −1 to 1 without a pattern that could hide an error. */
function probeInput(length: number): Feed {
  const data = Float32Array.from({ length }, (_, i) => (Math.imul(i + 1, 0x9e3779b1) >>> 0) / 2 ** 31 - 1);
  return { type: 'float32', data, shape: [length] };
}

function difference(actual: Float32Array, expected: Float32Array): number {
  const squares = (f: (i: number) => number) => expected.reduce((sum, _, i) => sum + f(i) ** 2, 0);
  return Math.sqrt(squares((i) => actual[i]! - expected[i]!) / squares((i) => expected[i]!));
}

async function runOnce(model: Uint8Array, device: Device, feeds: Parameters<OnnxSession['run']>[0]) {
  const session = await OnnxSession.create(model, { device });
  try {
    const outputs = Object.entries(await session.run(feeds));
    return Object.fromEntries(outputs.map(([name, { data }]) => [name, data as Float32Array]));
  } finally {
    await session.dispose();
  }
}
