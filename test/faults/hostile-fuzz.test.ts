import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { arithmeticVersion } from '../../engine/arithmetic.js';
import type { FromWorker } from '../../proto/messages.js';
import { PROTOCOL_VERSION } from '../../transport/services.js';
import { encoded, frame, HostilePeer } from './hostile-peer.js';
import { type RunPair, startPair } from './run-pair.js';
import type { ScriptedRun } from './scripted-run.js';

/**
 * Random sequences of messages, most of them nonsense. LOCKSTEP_SEED repeats a sequence, LOCKSTEP_RUNS sets their
 * number.
 */

const seed = Number(process.env['LOCKSTEP_SEED'] ?? Date.now() % 1_000_000);
const numRuns = Number(process.env['LOCKSTEP_RUNS'] ?? 300);
let pair: RunPair;
let run: ScriptedRun;

beforeAll(async () => {
  pair = await startPair();
  run = pair.run;
});
afterAll(() => pair.close());

/** Small numbers, which are often valid, and any others. */
const uint = fc.oneof(fc.nat(6), fc.integer({ min: 0, max: 0xffffffff }));
const text = fc.oneof(fc.string({ maxLength: 20 }), fc.string({ unit: 'binary', maxLength: 300 }));
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc.constantFrom(0, 4, 262_144, 25_416).map((length) => new Uint8Array(length).fill(0xff)),
);
const node = fc.record({ first: uint, count: uint });
const report = fc.record({
  shard: uint,
  samples: fc.oneof(fc.constant(10), uint),
  lossSum: fc.double(),
  correct: uint,
  statistics: bytes,
  computeMs: fc.double(),
});

const message: fc.Arbitrary<FromWorker> = fc.oneof(
  fc.record({
    hello: fc.record({
      protocolVersion: fc.oneof(fc.constant(PROTOCOL_VERSION), uint),
      workerId: fc.oneof(fc.constant('scripted'), text),
      host: text,
      pid: uint,
      runtime: text,
      beatKey: fc.uint8Array({ maxLength: 20 }),
    }),
  }),
  fc.record({
    ready: fc.record({
      engine: fc.oneof(fc.constant('raw'), text),
      engineVersion: fc.oneof(fc.constant('raw 1'), text),
      device: fc.oneof(fc.constant('cpu'), text),
      lowering: fc.oneof(fc.constant('none'), text),
      threads: fc.oneof(fc.constant(1), uint),
      arithmetic: fc.oneof(fc.constant(arithmeticVersion), uint),
      cores: uint,
      target: text,
      targetReason: text,
      compileMs: fc.double(),
      fingerprint: fc.oneof(fc.constant('ab'.repeat(32)), text),
    }),
  }),
  fc.record({ heartbeat: fc.record({ phase: fc.oneof(fc.constant('idle'), text), residentBytes: fc.double() }) }),
  fc.record({ holding: fc.record({ shards: fc.array(uint, { maxLength: 20 }) }) }),
  fc.record({
    partial: fc.record({
      term: uint,
      step: uint,
      node,
      chunk: uint,
      chunks: fc.oneof(fc.constant(3), uint),
      data: bytes,
      crc: uint,
      reports: fc.array(report, { maxLength: 5 }),
    }),
  }),
  fc.record({ rows: fc.record({ term: uint, step: uint, batch: uint, data: bytes, crc: uint }) }),
  fc.record({ failure: fc.record({ code: text, message: text }) }),
  fc.record({ leaving: fc.record({ reason: text }) }),
);

/** A frame on the wire: a message, one with bytes changed, or noise; its declared length is sometimes wrong. */
const wire = fc.oneof(
  { weight: 6, arbitrary: message.map((made) => frame(encoded(made))) },
  {
    weight: 2,
    arbitrary: fc.tuple(message, fc.nat(), fc.nat(255)).map(([made, at, value]) => damaged(made, at, value)),
  },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 500 }).map((noise) => frame(noise)) },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.uint8Array({ maxLength: 50 }), uint).map(([noise, length]) => frame(noise, length)),
  },
);

function damaged(made: FromWorker, at: number, value: number): Buffer {
  const body = encoded(made);
  if (body.length > 0) body[at % body.length] = value;
  return frame(body);
}

const greeting: FromWorker = {
  hello: {
    protocolVersion: PROTOCOL_VERSION,
    workerId: 'fuzz',
    host: 'h',
    pid: 1,
    runtime: 'r',
    beatKey: new Uint8Array(16),
  },
};

it(`survives any messages (seed ${seed}, ${numRuns} sequences)`, async () => {
  let sequences = 0;
  const everyStep = Math.ceil(numRuns / 15);
  const attack = fc.asyncProperty(
    fc.boolean(),
    fc.array(wire, { minLength: 1, maxLength: 8 }),
    async (greets, frames) => {
      const peer = new HostilePeer(run.address);
      try {
        const call = peer
          .open()
          .write(...(greets ? [frame(encoded(greeting))] : []), ...frames)
          .end();
        const { status } = await call.ended();
        expect(status).not.toBe(0);
        if (++sequences % everyStep === 0 && run.step < 18) await run.nextStep();
      } finally {
        peer.close();
      }
    },
  );
  await fc.assert(attack, { seed, numRuns, endOnFailure: true });
  expect(await run.finish()).toBe(pair.quietDigest);
});
