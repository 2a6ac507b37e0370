import { describe, expect, it } from 'vitest';
import type { FromWorker } from '../../proto/messages.js';
import { smallManifest } from './manifest.js';
import { Rig } from './rig.js';

const start = () => Rig.start(smallManifest(3));

describe('joining', () => {
  it('answers Hello with the job, its term and the heartbeat, and notes who joined', async () => {
    const rig = await start();
    const worker = rig.worker('w1');
    worker.hello({ host: 'gpu-3', pid: 77 });
    expect((await worker.next('welcome')).welcome).toEqual({ jobJson: '{}', term: 1, heartbeatMs: 500 });
    expect(rig.reasonOf('w1', 'joined')).toBe('gpu-3, process 77');
    expect(rig.roster.sessions.map(({ workerId }) => workerId)).toEqual(['w1']);
  });

  it.each<[string, FromWorker, string]>([
    ['Heartbeat', { heartbeat: { phase: 'idle', residentBytes: 1 } }, 'heartbeat'],
    ['Holding', { holding: { shards: [0] } }, 'holding'],
    ['Leaving', { leaving: { reason: 'x' } }, 'leaving'],
    ['an empty message', {} as FromWorker, 'an empty message'],
  ])('refuses %s as the first message, and a Hello after it', async (_, message, got) => {
    const rig = await start();
    const worker = rig.worker('w1');
    worker.send(message);
    worker.hello();
    expect(await worker.ended).toMatchObject({
      code: 'BAD_MESSAGE',
      message: `join: expected Hello first, got ${got}`,
    });
    expect(worker.received).toEqual([]);
    expect(rig.changes).toEqual([]);
    expect(rig.roster.sessions).toEqual([]);
  });

  it('ends the session of a worker that says Hello twice', async () => {
    const rig = await start();
    const worker = rig.worker('w1');
    worker.hello();
    worker.hello();
    expect(await worker.ended).toMatchObject({
      code: 'BAD_MESSAGE',
      message: 'join: expected one Hello from w1, got a second',
    });
    expect(rig.changes).toEqual(['w1 joined', 'w1 lost']);
  });

  it.each([0, 2, 0xffffffff])('refuses protocol version %i with both versions and what to do', async (version) => {
    const rig = await start();
    const worker = rig.worker('w1');
    worker.hello({ protocolVersion: version });
    expect(await worker.ended).toMatchObject({
      code: 'PROTOCOL_VERSION',
      retryable: false,
      message:
        `join: expected protocol version 1, got ${version} from worker w1; ` +
        'install the same Lockstep version on both sides',
    });
    expect(rig.changes).toEqual([]);
  });

  it('survives a version refusal that cuts a worker id in the middle of a character', async () => {
    const rig = await start();
    const worker = rig.worker(`${'x'.repeat(199)}😀`);
    worker.hello({ protocolVersion: 9 });
    expect(await worker.ended).toMatchObject({ code: 'PROTOCOL_VERSION' });
  });

  it.each([
    ['no worker id', { workerId: '' }],
    ['a worker id of 201 characters', { workerId: 'x'.repeat(201) }],
    ['a host name of 201 characters', { host: 'x'.repeat(201) }],
    ['a runtime of 201 characters', { runtime: 'x'.repeat(201) }],
  ])('refuses %s', async (_, overrides) => {
    const rig = await start();
    const worker = rig.worker('w1');
    worker.hello(overrides);
    expect(await worker.ended).toMatchObject({ code: 'BAD_MESSAGE' });
    expect(rig.roster.sessions).toEqual([]);
  });

  it('takes a worker id of 200 characters', async () => {
    const rig = await start();
    const worker = rig.worker('x'.repeat(200));
    worker.hello();
    await worker.next('welcome');
    expect(rig.roster.sessions).toHaveLength(1);
  });

  it('refuses a second worker of the same id, which may try again, and leaves the first alone', async () => {
    const rig = await start();
    const [first] = await rig.workers('w1');
    const second = rig.worker('w1');
    second.hello();
    expect(await second.ended).toMatchObject({ code: 'DUPLICATE_WORKER', retryable: true });
    expect(rig.roster.sessions).toHaveLength(1);
    first!.break();
    await rig.changed('w1', 'lost');
    await rig.workers('w1');
    expect(rig.changes).toEqual(['w1 joined', 'w1 ready', 'w1 lost', 'w1 joined', 'w1 ready']);
  });

  it('refuses a worker with another engine than the first, with both of them, and leaves the others alone', async () => {
    const rig = await start();
    await rig.workers('first');
    const other = rig.worker('other');
    other.hello();
    other.ready('raw 2');
    expect(await other.ended).toMatchObject({
      code: 'OTHER_ENGINE',
      retryable: false,
      message: expect.stringMatching(/expected engine raw \(raw 1, .*got raw \(raw 2, .*from worker other/) as string,
    });
    expect(rig.roster.readySessions.map(({ workerId }) => workerId)).toEqual(['first']);
  });

  it('sends home who joins after the end, and everybody who is there', async () => {
    const rig = await start();
    const [early] = await rig.workers('early');
    rig.cluster.close('the job is over');
    expect((await early!.next('finish')).finish).toEqual({ reason: 'the job is over' });
    const late = rig.worker('late');
    late.hello();
    expect((await late.next('finish')).finish).toEqual({ reason: 'the job is over' });
    expect([await early!.ended, await late.ended]).toEqual([undefined, undefined]);
    expect(rig.roster.sessions).toEqual([]);
  });
});

describe('the end of a session', () => {
  it.each<[string, (worker: ReturnType<Rig['worker']>) => void, string, string]>([
    ['Leaving', (worker) => worker.send({ leaving: { reason: 'SIGTERM' } }), 'left', 'SIGTERM'],
    [
      'Failure',
      (worker) => worker.send({ failure: { code: 'ENGINE_FAILED', message: 'out of memory' } }),
      'lost',
      'out of memory',
    ],
    ['the end of its stream', (worker) => worker.end(), 'lost', 'its connection ended'],
    ['a broken connection', (worker) => worker.break(), 'lost', 'its connection ended'],
    ['an empty message', (worker) => worker.send({} as FromWorker), 'lost', 'join: got an empty message from w1'],
  ])('by %s is told once, with its reason, and frees the worker id', async (_, end, change, reason) => {
    const rig = await start();
    const [worker] = await rig.workers('w1');
    end(worker!);
    await worker!.ended;
    await rig.changed('w1', change);
    await rig.workers('w2');
    expect(rig.reasonOf('w1', change)).toBe(reason);
    expect(rig.changes).toEqual(['w1 joined', 'w1 ready', `w1 ${change}`, 'w2 joined', 'w2 ready']);
    expect(rig.roster.sessions.map(({ workerId }) => workerId)).toEqual(['w2']);
  });

  it('comes when a worker is silent past the heartbeat limit, and not to those that are heard', async () => {
    const rig = await Rig.start(smallManifest(3), 600);
    const [silent, heard] = await rig.workers('silent', 'heard');
    const beat = setInterval(() => heard!.send({ heartbeat: { phase: 'idle', residentBytes: 5 } }), 50);
    await rig.changed('silent', 'lost').finally(() => clearInterval(beat));
    expect(await silent!.ended).toMatchObject({
      code: 'LOST',
      retryable: true,
      message: expect.stringMatching(
        /^heartbeat: expected a message from silent within 0\.6 s, got none for \d\.\d s; its shards go to others$/,
      ) as string,
    });
    expect(rig.roster.sessions.map(({ workerId }) => workerId)).toEqual(['heard']);
    expect(rig.roster.get('heard')?.heartbeat).toEqual({ phase: 'idle', residentBytes: 5 });
  });
});
