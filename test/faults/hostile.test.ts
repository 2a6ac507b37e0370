import { execFile } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { FromWorker, Partial as PartialMessage } from '../../proto/messages.js';
import { RawWorker } from '../coordinator/raw-worker.js';
import { within } from '../proto/wire.js';
import { Attacker, hello, nanChunk, ready } from './attacker.js';
import { encoded, frame, openRaw, type RawCall, sendRaw } from './hostile-peer.js';
import { type RunPair, startPair } from './run-pair.js';
import type { ScriptedRun } from './scripted-run.js';

/**
 * Hostile messages from outsiders and faulty workers to a run in progress. Each attack comes in the middle of a step;
 * the last test asserts that the run's digest is that of an undisturbed one.
 */

const MiB = 1024 * 1024;
const flood = fileURLToPath(new URL('./flood.mjs', import.meta.url));
const random = (bytes: number) => randomFillSync(Buffer.alloc(bytes));
const bomb = gzipSync(Buffer.alloc(64 * MiB));
let pair: RunPair;
let run: ScriptedRun;
let attacker: Attacker;

beforeAll(async () => {
  pair = await startPair();
  run = pair.run;
  attacker = new Attacker(run);
});
afterAll(() => pair.close());

/**
 * Expects that the sender gets `message` and that the run continues to its next step; the last steps are left to the
 * other tests.
 */
async function expectRefusal(call: RawCall, code: keyof typeof status, message: RegExp): Promise<void> {
  const end = await call.ended();
  expect(end.message).toMatch(message);
  expect(status[end.status!]).toBe(code);
  if (run.step < 12) await run.nextStep();
}

type Refusal<Attack> = [string, Attack, keyof typeof status, RegExp];

describe('an outsider', () => {
  it.each<Refusal<(by: Attacker) => RawCall>>([
    [
      'noise',
      (by) => by.join([frame(Buffer.alloc(4096, 0xff))]),
      'INVALID_ARGUMENT',
      /got a message that cannot be decoded/,
    ],
    ['4 GiB declared', (by) => by.join([frame(random(9), 0xffffffff)]), 'RESOURCE_EXHAUSTED', /larger than max/],
    ['9 MiB sent', (by) => by.join([frame(Buffer.alloc(9 * MiB))]), 'RESOURCE_EXHAUSTED', /larger than max/],
    [
      '64 MiB in a gzip bomb',
      (by) => by.join([frame(bomb, bomb.byteLength, 1)], { 'grpc-encoding': 'gzip' }),
      'RESOURCE_EXHAUSTED',
      /decompresses to a size larger than/,
    ],
    ['an empty message', (by) => by.join([frame(random(0))]), 'INVALID_ARGUMENT', /Hello first, got an empty message/],
    [
      'a result before Hello',
      (by) => by.say(by.partial({ data: new Uint8Array(16) })),
      'INVALID_ARGUMENT',
      /Hello first, got partial/,
    ],
    [
      'another protocol version',
      (by) => by.say(hello({ protocolVersion: 77 })),
      'FAILED_PRECONDITION',
      /expected protocol version \d+, got 77 from worker hostile/,
    ],
    [
      'a worker id of two lines',
      (by) => by.say(hello({ workerId: 'w1\n{"level":50}' })),
      'INVALID_ARGUMENT',
      /expected a worker id of printable characters/,
    ],
    [
      'a host name of 32 KiB',
      (by) => by.say(hello({ host: 'x'.repeat(32 * 1024) })),
      'INVALID_ARGUMENT',
      /a host of at most 200 characters, got 32768/,
    ],
    ["another worker's id", (by) => by.say(hello({ workerId: 'scripted' })), 'ALREADY_EXISTS', /a unique worker id/],
    ['an unknown service', (by) => by.request('Other/Do', frame(random(3))), 'UNIMPLEMENTED', /not implement/],
    [
      'an unknown chunk',
      (by) => by.request('Data/Fetch', frame(Buffer.from('\n\x03a\x1bb'))),
      'NOT_FOUND',
      /expected a chunk of this job, got a b/,
    ],
    [
      'a chunk requested with noise as its digest',
      (by) => by.request('Data/Fetch', frame(Buffer.alloc(50, 0xff))),
      'INTERNAL',
      /deserializing/,
    ],
    [
      'Status asked for in noise',
      (by) => by.request('Control/Status', frame(Buffer.alloc(50, 0xff))),
      'INTERNAL',
      /deserializing/,
    ],
  ])('is told the problem with %s', async (_, attack, code, message) => {
    await expectRefusal(attack(attacker), code, message);
  });

  it('is cut off when it sends a Hello of 1 MiB, as nobody needs 64 KiB to authenticate', async () => {
    const call = attacker.say(hello({ host: 'x'.repeat(MiB) }));
    expect((await call.ended()).status).toBeUndefined();
  });

  it('is cut off when it does not speak HTTP/2', async () => {
    for (let i = 0; i < 20; i++) await sendRaw(run.address, random(50 + i * 997));
    await sendRaw(run.address, Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'));
  });

  it('is cut off when its HTTP/2 is garbage', async () => {
    const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    for (let i = 0; i < 20; i++) await sendRaw(run.address, Buffer.concat([preface, random(200 + i * 31)]));
  });
});

describe('a worker that joins', () => {
  it.each<Refusal<(by: Attacker) => FromWorker[]>>([
    ['a second Hello', () => [hello()], 'INVALID_ARGUMENT', /expected one Hello from hostile, got a second/],
    ['an empty message', () => [{} as FromWorker], 'DATA_LOSS', /got an empty message from hostile; damaged/],
    ['a second Ready', () => [ready(), ready()], 'INVALID_ARGUMENT', /expected one Ready from hostile, got a second/],
    [
      'bits other than the run’s',
      () => [ready({ fingerprint: 'cd'.repeat(32) })],
      'FAILED_PRECONDITION',
      /expected engine raw .*fingerprint abababababab.*got raw .*fingerprint cdcdcdcdcdcd/,
    ],
    ['no fingerprint', () => [ready({ fingerprint: '\u001b[2J' })], 'INVALID_ARGUMENT', /64 hexadecimal digits/],
    [
      'results before Ready',
      (by) => [by.partial()],
      'INVALID_ARGUMENT',
      /expected Ready from hostile before any result/,
    ],
    [
      'a phase of 5 MiB',
      () => [{ heartbeat: { phase: 'x'.repeat(5 * MiB), residentBytes: 1 } }],
      'INVALID_ARGUMENT',
      /expected phase idle, /,
    ],
    [
      'endless memory',
      () => [{ heartbeat: { phase: 'idle', residentBytes: Infinity } }],
      'INVALID_ARGUMENT',
      /residentBytes of 0 or more, got Infinity/,
    ],
    [
      'a shard that is not there',
      () => [{ holding: { shards: [0, 4_000_000_000] } }],
      'INVALID_ARGUMENT',
      /some of shards 0\.\.4, got shard 4000000000/,
    ],
    [
      'a million shards',
      () => [{ holding: { shards: new Array<number>(1_000_000).fill(1) } }],
      'INVALID_ARGUMENT',
      /got 1000000 shards/,
    ],
  ])('is told the problem with %s', async (_, messages, code, message) => {
    await expectRefusal(attacker.say(hello(), ...messages(attacker)), code, message);
  });

  it.each<Refusal<(by: Attacker) => Partial<PartialMessage>>>([
    [
      'a length',
      () => ({ data: Buffer.alloc(8) }),
      'INVALID_ARGUMENT',
      /expected chunk 0\.\.2 of 3 with 262144 bytes, got chunk 0 of 3 with 8 bytes/,
    ],
    ['a chunk', () => ({ chunk: 0xffffffff }), 'INVALID_ARGUMENT', /got chunk 4294967295/],
    ['a number of chunks', () => ({ chunks: 1 }), 'INVALID_ARGUMENT', /got chunk 0 of 1/],
    ['a checksum', () => ({ crc: 1 }), 'DATA_LOSS', /expected bytes with CRC-32 00000001/],
    ['an order of chunks', () => ({ chunk: 1 }), 'DATA_LOSS', /expected chunk 0 of node/],
    ['a node', () => ({ node: { first: 1, count: 2 } }), 'INVALID_ARGUMENT', /expected a node of the tree over 5/],
    ['a node’s size', () => ({ node: { first: 0, count: 0xffffffff } }), 'INVALID_ARGUMENT', /expected a node/],
    ['no reports', () => ({ reports: [] }), 'INVALID_ARGUMENT', /expected reports of shards 0, got/],
    ['a shard', (by) => ({ reports: [by.report({ shard: 1 })] }), 'INVALID_ARGUMENT', /of shards 0, got 1/],
    ['a count', (by) => ({ reports: [by.report({ samples: 9 })] }), 'INVALID_ARGUMENT', /of shard 0, got 9/],
    ['a score', (by) => ({ reports: [by.report({ correct: 11 })] }), 'INVALID_ARGUMENT', /at most 10 correct/],
    [
      'statistics',
      (by) => ({ reports: [by.report({ statistics: Buffer.alloc(4 * MiB) })] }),
      'INVALID_ARGUMENT',
      /bytes of statistics, got 4194304/,
    ],
  ])('is told the problem with a result: %s', async (_, changes, code, message) => {
    await expectRefusal(attacker.say(hello(), ready(), attacker.partial(changes(attacker))), code, message);
  });

  it('is told that its bytes are damaged, though Compute messages for it are in flight', async () => {
    const damaged = frame(Buffer.from([0x42, 0xf9, 0x0a, 0]));
    const call = attacker.join([frame(encoded(hello())), damaged]);
    await expectRefusal(call, 'DATA_LOSS', /got a message that cannot be decoded from hostile/);
  });

  it('changes nothing with results of other steps and terms, even NaN', async () => {
    const data = nanChunk();
    const stale = [{ step: run.step + 1 }, { step: 0xffffffff }, { term: 2 }, { term: 0, step: 0 }];
    const messages: FromWorker[] = [
      ...stale.map((at) => attacker.partial({ ...at, data })),
      { rows: { term: 1, step: run.step, batch: 0, data, crc: 7 } },
      { leaving: { reason: 'all said\r\n{"level":60}\u001b[2J' } },
    ];
    await expectRefusal(attacker.say(hello(), ready(), ...messages), 'CANCELLED', /all said/);
  });
});

describe('many connections', () => {
  it('that never say Hello are dropped after 10 s, and leave room for workers', async () => {
    const before = run.residentBytes();
    const silent = Array.from({ length: 300 }, () => new RawWorker(run.address, ''));
    const early = new RawWorker(run.address, '');
    early.hello();
    expect((await within(early.ended, 'an answer', 4_000))?.message).toMatch(/a worker id of 1 to 200 characters/);
    const ends = await within(Promise.all(silent.map(({ ended }) => ended)), 'the end of all', 15_000);
    expect(new Set(ends.map((error) => `${error?.code} ${error?.retryable}`))).toEqual(new Set(['BAD_MESSAGE false']));
    expect(run.residentBytes() - before).toBeLessThan(150 * MiB);
  });

  it('that send nothing take little memory', async () => {
    const before = run.residentBytes();
    const sockets = Array.from({ length: 1_000 }, () => openRaw(run.address));
    onTestFinished(() => sockets.forEach((socket) => socket.destroy()));
    await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once('connect', resolve))));
    await run.nextStep();
    expect(run.residentBytes() - before).toBeLessThan(150 * MiB);
  });

  it('that continue when their stream is over take no memory', async () => {
    const before = run.residentBytes();
    const first = frame(encoded(hello({ workerId: '' }))).toString('hex');
    const args = [flood, run.address.split(':')[1]!, String(100 * MiB), first];
    const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 20_000 });
    expect(Number(stdout)).toBeGreaterThan(0);
    await run.nextStep();
    expect(run.residentBytes() - before).toBeLessThan(50 * MiB);
  });

  it('that claim every shard, beat, and never read or answer, only cause delay', async () => {
    const call = attacker.say(hello(), ready(), { holding: { shards: [0, 1, 2, 3, 4] } });
    call.stream.pause();
    const beat = frame(encoded({ heartbeat: { phase: 'computing', residentBytes: 1 } }));
    const beats = setInterval(() => call.write(beat), 200);
    onTestFinished(() => clearInterval(beats));
    for (let i = 0; i < 3; i++) await run.nextStep();
  }, 240_000);
});

describe('the run under attack', () => {
  it('reaches the digest of an undisturbed run, every sample counted once', async () => {
    expect(await run.finish()).toBe(pair.quietDigest);
    const rows = run.read('steps.csv').trim().split('\n').slice(1);
    expect(rows.map((row) => Number(row.split(',')[0]))).toEqual(rows.map((_, index) => index));
    const samples = rows.reduce((sum, row) => sum + Number(row.split(',')[2]), 0);
    expect(samples).toBe(run.manifest.dataset.trainSamples);
  });

  it('shows and logs nothing as outsiders wrote it', () => {
    const { stdout, stderr } = run.command;
    // Control characters except line ends, and lines forged by an outsider.
    expect(stdout + stderr).not.toMatch(/[^\P{Cc}\n]|^\{"level":60\}/mu);
    const lines = run.read('log.jsonl').trim().split('\n');
    expect(lines.length).toBeGreaterThan(5);
    for (const line of lines) expect(JSON.parse(line)).toHaveProperty('time');
  });
});
