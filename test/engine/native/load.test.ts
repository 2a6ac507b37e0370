import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import type { InstructionSet } from '../../../engine/engine.js';
import { chooseTarget } from '../../../engine/native/load/choose.js';
import { openAddon } from '../../../engine/native/load/addon.js';
import { loadNative } from '../../../engine/native/load/load.js';
import { op } from '../../../engine/native/plan/opcodes.js';
import { inputWords, SelfTestPlan } from '../../../engine/native/load/self-test-plan.js';
import type { NativeProgram, NativeRuntime, ProgramBuffers } from '../../../engine/native/load/native.js';

const prebuilt = fileURLToPath(new URL('../../../engine/native/prebuilt/', import.meta.url));
const folders: string[] = [];
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true })));

const { target } = chooseTarget(process);
const isas = target.endsWith('.node') ? openAddon(join(prebuilt, target)).isas() : [];
const available = [
  ...isas.filter(({ missing }) => missing === '').map(({ name }) => name as InstructionSet),
  'wasm' as const,
];

/** The prebuilt files with one replaced by `bytes`. */
function damaged(file: string, bytes: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'lockstep-prebuilt-'));
  folders.push(folder);
  cpSync(prebuilt, folder, { recursive: true });
  writeFileSync(join(folder, file), bytes);
  return folder;
}

/** Copies the first `count` inputs to the results. */
function copyPlan(count: number): SelfTestPlan {
  const plan = new SelfTestPlan();
  plan.add(op.move, 1, [plan.input(), 0, plan.output(count), 0, 1, count, 1, 1]);
  return plan;
}

const none = () => new Float32Array(0);

function buffers(params: Float32Array, outA: Float32Array): ProgramBuffers {
  const bytes = new Uint8Array(inputWords);
  return [params, none(), bytes, new Int32Array(inputWords), none(), outA, none(), new Uint32Array(0)];
}

function create(runtime: NativeRuntime, count = 37): NativeProgram {
  return runtime.createProgram(copyPlan(count).build(), new Uint8Array(0), 1);
}

describe('loadNative', () => {
  it.each(available)('%s passes the self-test and gives the reason', (isa) => {
    expect(loadNative(isa)).toMatchObject({ isa, reason: 'requested' });
  });

  it('takes the fastest that is available', () => {
    expect(loadNative().isa).toBe(available[0]);
  });

  it.skipIf(available.length === 1)('passes over an addon that does not load, and says why', () => {
    const runtime = loadNative(undefined, damaged(target, 'no library'));
    expect(runtime.isa).toBe('wasm');
    expect(runtime.reason).toContain(`${target}: `);
  });

  it.skipIf(available.length === 1)('refuses a requested instruction set whose addon does not load', () => {
    expect(() => loadNative(available[0], damaged(target, 'no library'))).toThrow(`expected ${available[0]} to work`);
  });

  it('gives all reasons if nothing loads', () => {
    const folder = damaged('lockstep.wasm', 'no module');
    writeFileSync(join(folder, target), 'nothing');
    expect(() => loadNative(undefined, folder)).toThrow(/lockstep\.wasm: .*FMA/);
  });
});

describe.each(available)('programs on %s', (isa) => {
  const runtime = loadNative(isa);

  it.each([
    ['ArrayBuffer', (words: number) => new ArrayBuffer(4 * words)],
    ['SharedArrayBuffer', (words: number) => new SharedArrayBuffer(4 * words)],
  ])('run on an %s', (_name, memory) => {
    const [params, outA] = [new Float32Array(memory(inputWords)), new Float32Array(memory(37))];
    params.forEach((_, i) => (params[i] = i / 7));
    const program = create(runtime);
    program.run(buffers(params, outA));
    expect([...outA]).toEqual([...params.subarray(0, 37)]);
    program.dispose();
  });

  it('refuse buffers of another length', () => {
    const program = create(runtime);
    const run = () => program.run(buffers(new Float32Array(5), new Float32Array(37)));
    expect(run).toThrow(`run program: expected ${4 * inputWords} bytes of params, got 20`);
    program.dispose();
  });

  it('refuse to run after dispose', () => {
    const program = create(runtime);
    program.dispose();
    program.dispose();
    const run = () => program.run(buffers(new Float32Array(inputWords), new Float32Array(37)));
    expect(run).toThrow('expected an active program, got a disposed one');
  });

  it('refuse a plan that reads beyond a buffer, naming the operation', () => {
    const message =
      'create program: operation 0 (MOVE, phase 0): expected source within the 65536 bytes of params, got bytes 0 to 65540';
    expect(() => create(runtime, inputWords + 1)).toThrow(message);
  });
});
