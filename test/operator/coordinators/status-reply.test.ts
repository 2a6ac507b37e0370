import type { V1Pod } from '@kubernetes/client-node';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planJob } from '../../../operator/plan/plan-job.js';
import { boundStatus, essentialStatus } from '../../../operator/resource/bound-status.js';
import { statusSchema, type TrainingJobStatus } from '../../../operator/resource/status.js';
import { maxReplyBytes, readStatusReply } from '../../../operator/coordinators/status-reply.js';
import type { StatusReply, WorkerStatus } from '../../../proto/messages.js';
import { statusReply } from '../../observe/sample-run.js';
import { statusBytes } from '../hostile-coordinator.js';
import * as k from '../objects.js';
import { begun } from '../situations.js';
import { runs } from '../../thorough.js';

const worker = (state: string) => ({ ...statusReply.workers[0]!, state }) satisfies WorkerStatus;
const read = (changes: Partial<StatusReply>) => readStatusReply(statusBytes({ ...statusReply, ...changes }));

/** Doubles, strings and counts of all kinds. */
const double = fc.oneof(
  fc.double(),
  fc.constantFrom(NaN, Infinity, -Infinity, -0, 2 ** 63, -1, 1e300, 1e20, Number.MIN_VALUE),
);
const count = fc.oneof(fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.constantFrom(0, 1, 2 ** 31, 2 ** 32 - 1));
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 3000 }),
  fc.constantFrom('\ud800', 'a\udc00', '\u0000\u001b[2J', '😀'.repeat(2000), 'x'.repeat(200_000)),
);
const states = ['waiting', 'training', 'paused', 'evaluating', 'reporting', 'finished', 'stopped', 'failed'];
const anyReply: fc.Arbitrary<Partial<StatusReply>> = fc.record({
  ...{ state: fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...states) }, text), reason: text, device: text },
  ...{ step: count, totalSteps: count, epoch: count, epochs: count, testEpoch: count, digestEpoch: count },
  ...{ loss: double, lossMean: double, imagesPerSecond: double, testAccuracy: double, secondsLeft: double },
  ...{ digest: fc.constantFrom('', 'ab'.repeat(32), 'x'), fingerprint: fc.constantFrom('', 'cd'.repeat(32)) },
  workers: fc.array(fc.constantFrom('compiling', 'idle', 'late').map(worker), { maxLength: 5 }),
});

/** As the API server checks it: the CRD's schema is made from the same one. */
function check(status: TrainingJobStatus): void {
  const texts: string[] = [];
  const plain = JSON.parse(JSON.stringify(status), (_key, value: unknown) => {
    if (typeof value === 'string') texts.push(value);
    return value;
  }) as TrainingJobStatus;
  expect(statusSchema.strict().safeParse(plain).error?.issues).toBeUndefined();
  // The result is what was written: well-formed, and without terminal control sequences.
  expect(texts.map((one) => Buffer.from(one).toString())).toEqual(texts);
  expect(texts.filter((one) => /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/.test(one))).toEqual([]);
  expect(boundStatus(plain)).toEqual(plain);
}

describe('a status as it comes from the wire', () => {
  it('has the fields of the contract that plans use', () => {
    const status = read({
      ...{ state: 'training', reason: 'waiting for w', step: 5, totalSteps: 10, epoch: 1, epochs: 2, loss: 1 },
      ...{ lossMean: 1.5, imagesPerSecond: 2456.4, testAccuracy: 0.75, testEpoch: 1, secondsLeft: 3.5 },
      ...{ digest: 'ab'.repeat(32), digestEpoch: 1, fingerprint: 'cd'.repeat(32), device: 'cpu' },
      ...{ samplesTrained: 2 ** 40, runDirectory: '/runs/j', synthetic: true },
      workers: ['compiling', 'idle', 'late', 'standby', 'computing'].map(worker),
    });
    expect(status).toEqual({
      ...{ state: 'training', reason: 'waiting for w', step: 5, totalSteps: 10, epoch: 1, epochs: 2 },
      ...{ lossMean: 1.5, imagesPerSecond: 2456, testAccuracy: 0.75, testEpoch: 1, secondsLeft: 3.5 },
      ...{ digest: 'ab'.repeat(32), digestEpoch: 1, fingerprint: 'cd'.repeat(32), device: 'cpu' },
      ...{ workers: 5, readyWorkers: 4 },
    });
  });

  it('has bounds for every value', () => {
    const status = read({
      ...{ imagesPerSecond: Infinity, testAccuracy: 7, secondsLeft: 1e300, loss: 1, lossMean: NaN },
      ...{ reason: `${'r'.repeat(5000)}\n`, device: '\u001b[31mcpu\n' },
    });
    expect(status).toMatchObject({ imagesPerSecond: Number.MAX_SAFE_INTEGER, testAccuracy: 1, secondsLeft: 1e9 });
    expect(status.reason).toBe(`${'r'.repeat(299)}…`);
    expect(status.device).toBe(' [31mcpu ');
    expect(read({ imagesPerSecond: -5, testAccuracy: NaN, secondsLeft: -1 })).toMatchObject({
      ...{ imagesPerSecond: 0, testAccuracy: 0, secondsLeft: 0 },
    });
  });

  it('fits for 1,024 workers', () => {
    const shards = Array.from({ length: 4 }, (_, i) => i);
    const workers = Array.from({ length: 1024 }, (_, i) => ({
      ...worker('computing'),
      ...{ workerId: `a-rather-long-name-of-a-pod-5d4f8c7b9-${i}`, shards, holding: shards },
    }));
    const bytes = statusBytes({ ...statusReply, workers });
    expect(bytes.length).toBeLessThan(maxReplyBytes);
    expect(readStatusReply(bytes).readyWorkers).toBe(1024);
  });

  it.each([
    ['a state that there is not', { state: 'idle' }, 'expected state waiting, training'],
    ['a digest that is none', { digest: 'ABCD' }, 'expected 64 hexadecimal digits as digest, got "ABCD"'],
    ['too many workers', { workers: Array<WorkerStatus>(4097).fill(worker('idle')) }, 'expected at most 4096 workers'],
  ])('is refused with %s', (_, changes, words) => expect(() => read(changes)).toThrow(words));

  it('is read or refused, whatever the bytes', () => {
    const pattern = fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.constantFrom(...nasty));
    const property = fc.property(pattern, (bytes) => {
      const many = Buffer.alloc(bytes.length === 0 ? 0 : maxReplyBytes, bytes);
      try {
        readStatusReply(many);
      } catch (error) {
        expect(error).toBeInstanceOf(Error);
      }
    });
    fc.assert(property, { numRuns: runs(200) });
  });
});

/** Fields that are short and repeated: workers, their states, reasons, unknown fields, groups. */
const nasty = [
  '6a00',
  '6a0212',
  '1a00',
  '1a0161',
  '2001',
  'a00601',
  '0b',
  '0c',
  'ffffffff',
  '6a0b1209636f6d70696c696e67',
].map((hex) => new Uint8Array(Buffer.from(hex, 'hex')));

describe('the status of a job', () => {
  it('is accepted by the API server, whatever a coordinator answers', () => {
    const property = fc.property(anyReply, (changes) => {
      let status;
      try {
        status = read(changes);
      } catch {
        return;
      }
      const control = { pod: 'cifar10-coordinator-1', status, statusMs: k.noonMs };
      check(planJob(begun(k.running, { control }), k.noonMs).status);
    });
    fc.assert(property, { numRuns: runs(300) });
  });

  it("is accepted by the API server, whatever the pods' status", () => {
    const message = fc.oneof(
      text,
      fc
        .record({ step: double, epoch: count, digest: text, loss: double, accuracy: double, device: text })
        .map((word) => JSON.stringify({ outcome: 'finished', ...word })),
    );
    const end = fc
      .tuple(fc.constantFrom(0, 1, 2, 137), message, text)
      .map(([exitCode, message, reason]) => k.exited(exitCode, { message, reason }));
    const evicted = fc.record({ phase: fc.constant('Failed'), reason: text, message: text });
    const waiting = fc
      .record({ reason: text, message: text })
      .map((waiting) => k.containerStatus('coordinator', 'Pending', { waiting }));
    const property = fc.property(fc.oneof(end, evicted, waiting), (status: V1Pod['status']) => {
      const { status: planned, actions } = planJob(begun(status), k.noonMs);
      check(planned);
      for (const action of actions) if (action.type === 'event') expect(action.message.length).toBeLessThan(1024);
    });
    fc.assert(property, { numRuns: runs(300) });
  });

  it('keeps what the next plan relies on if the whole is rejected', () => {
    const control = { pod: 'cifar10-coordinator-1', status: k.reply({ reason: 'hostile' }), statusMs: k.noonMs };
    const { status } = planJob(begun(k.running, { control }), k.noonMs);
    const essential = essentialStatus({ ...status, message: 'hostile' });
    check(essential);
    expect(JSON.stringify(essential)).not.toContain('hostile');
    expect(essential).toMatchObject({ state: 'Running', startTime: '2026-01-31T12:00:00Z' });
    expect(essential.coordinator).toMatchObject({ attempt: 1, ended: 0, doing: 'Running' });
  });
});
