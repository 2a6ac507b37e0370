import type { CompiledProgram } from '../cache/entry.js';
import type { Feed } from '../feeds.js';
import { compileEachTime, type ProgramSource } from './program-source.js';
import { OnnxSession, type SessionSetup } from './session.js';

/** Largest relative L2 difference from the portable results; where all is right it is below 1e-6. */
const tolerance = 1e-5;
const blocks = [8, 16, 32];

/** The block size with which the nchwc formulations work on this machine, or why they do not. */
export type NchwcProbe = { readonly block: number } | { readonly problem: string };

/**
 * Tries ONNX Runtime's blocked convolutions, which are not part of its interface: finds the block size that it has for
 * this CPU, then computes a small program with them and portably. Takes 40 to 70 ms, a third of it from a warm cache.
 */
export async function probeNchwc(threads: number, source: ProgramSource = compileEachTime): Promise<NchwcProbe> {
  try {
    const block = await findBlock(await source({ kind: 'blockProbe' }));
    if (block === undefined) return { problem: `expected blocks of ${blocks.join(', ')} channels, got another size` };
    const expected = await source({ kind: 'probe', target: 'portable', block });
    const actual = await source({ kind: 'probe', target: { nchwc: block }, block });
    const difference = await probeDifference(actual, expected, { threads });
    if (difference <= tolerance) return { block };
    return { problem: `expected the portable results within ${tolerance}, got a relative difference of ${difference}` };
  } catch (error) {
    return { problem: (error as Error).message };
  }
}

/** Blocks 64 numbered channels of two columns: column 1 of channel 0, the number 1, comes after a block of column 0. */
async function findBlock({ bytes }: CompiledProgram): Promise<number | undefined> {
  const x = Float32Array.from({ length: 128 }, (_, i) => i);
  const { y } = await runOnce(bytes, { threads: 1 }, { x: { type: 'float32', data: x, shape: [1, 64, 1, 2] } });
  return blocks.find((block) => y![block] === 1);
}

/**
 * ‖actual − expected‖ / ‖expected‖ of that output of the probe program where it is largest.
 * @param setup - for the actual results; the expected ones are computed on the CPU.
 */
export async function probeDifference(
  actual: CompiledProgram,
  expected: CompiledProgram,
  setup: SessionSetup,
): Promise<number> {
  const feeds = { params: probeInput(expected.parameterCount) };
  const wanted = await runOnce(expected.bytes, { threads: setup.threads }, feeds);
  const found = await runOnce(actual.bytes, setup, feeds);
  return Math.max(...Object.keys(wanted).map((name) => difference(found[name]!, wanted[name]!)));
}

/** Values in −1 to 1 without a pattern that a mistake could hide in. */
function probeInput(length: number): Feed {
  const data = Float32Array.from({ length }, (_, i) => (Math.imul(i + 1, 0x9e3779b1) >>> 0) / 2 ** 31 - 1);
  return { type: 'float32', data, shape: [length] };
}

function difference(actual: Float32Array, expected: Float32Array): number {
  const squares = (f: (i: number) => number) => expected.reduce((sum, _, i) => sum + f(i) ** 2, 0);
  return Math.sqrt(squares((i) => actual[i]! - expected[i]!) / squares((i) => expected[i]!));
}

async function runOnce(model: Uint8Array, setup: SessionSetup, feeds: Parameters<OnnxSession['run']>[0]) {
  const session = await OnnxSession.create(model, setup);
  try {
    const outputs = Object.entries(await session.run(feeds));
    return Object.fromEntries(outputs.map(([name, { data }]) => [name, data as Float32Array]));
  } finally {
    await session.dispose();
  }
}
