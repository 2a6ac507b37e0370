import { OnnxWriter } from '../emit/onnx-writer.js';
import { lowerProgram } from '../lower/lower-program.js';
import type { Rules } from '../lower/lowering.js';
import { nchwcRules } from '../lower/nchwc.js';
import { portable } from '../lower/portable.js';
import { probeInput, probeProgram } from './probe-program.js';
import { OnnxSession } from './session.js';

/** Largest relative L2 difference from the portable results; where all is right it is below 1e-6. */
const tolerance = 1e-5;
const blocks = [8, 16, 32];

/** The block size with which the nchwc formulations work on this machine, or why they do not. */
export type NchwcProbe = { readonly block: number } | { readonly problem: string };

/**
 * Tries ONNX Runtime's blocked convolutions, which are not part of its interface: finds the block size that it has for
 * this CPU, then computes a small program with them and portably. Takes 40 to 70 ms.
 */
export async function probeNchwc(threads: number): Promise<NchwcProbe> {
  try {
    const block = await findBlock();
    if (block === undefined) return { problem: `expected blocks of ${blocks.join(', ')} channels, got another size` };
    const difference = await differenceFromPortable(nchwcRules(block), block, threads);
    if (difference <= tolerance) return { block };
    return { problem: `expected the portable results within ${tolerance}, got a relative difference of ${difference}` };
  } catch (error) {
    return { problem: (error as Error).message };
  }
}

/** Blocks 64 numbered channels of two columns: column 1 of channel 0, the number 1, comes after a block of column 0. */
async function findBlock(): Promise<number | undefined> {
  const shape = [1, 64, 1, 2];
  const writer = new OnnxWriter();
  writer.input('x', 'float32', shape);
  writer.op('com.microsoft.nchwc.ReorderInput', ['x'], {}, 'y');
  writer.output('y', 'float32', shape);
  const x = Float32Array.from({ length: 128 }, (_, i) => i);
  const { y } = await runOnce(writer.build(), 1, { x: { type: 'float32', data: x, shape } });
  return blocks.find((block) => y![block] === 1);
}

/** ‖results − portable results‖ / ‖portable results‖ of that output of the probe program where it is largest. */
export async function differenceFromPortable(rules: Rules, block: number, threads: number): Promise<number> {
  const program = probeProgram(block);
  const feeds = { params: probeInput(program) };
  const expected = await runOnce(lowerProgram(program, portable), threads, feeds);
  const actual = await runOnce(lowerProgram(program, rules), threads, feeds);
  return Math.max(...program.outputs.map(({ name }) => difference(actual[name]!, expected[name]!)));
}

function difference(actual: Float32Array, expected: Float32Array): number {
  const squares = (f: (i: number) => number) => expected.reduce((sum, _, i) => sum + f(i) ** 2, 0);
  return Math.sqrt(squares((i) => actual[i]! - expected[i]!) / squares((i) => expected[i]!));
}

async function runOnce(model: Uint8Array, threads: number, feeds: Parameters<OnnxSession['run']>[0]) {
  const session = await OnnxSession.create(model, threads);
  try {
    const outputs = Object.entries(await session.run(feeds));
    return Object.fromEntries(outputs.map(([name, { data }]) => [name, data as Float32Array]));
  } finally {
    await session.dispose();
  }
}
