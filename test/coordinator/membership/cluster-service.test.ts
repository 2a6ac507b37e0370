import { describe, expect, it } from 'vitest';
import type { FromWorker, Ready } from '../../../proto/messages.js';
import { PROTOCOL_VERSION } from '../../../transport/services.js';
import { smallManifest } from '../manifest.js';
import { Rig } from '../rig.js';

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

  it('reports a stream that ends without a message', async () => {
    const rig = await start();
    const worker = rig.worker('w1');
    worker.end();
    expect(await worker.ended).toMatchObject({
      code: 'BAD_MESSAGE',
      message: 'join: expected Hello first, got the end of the stream',
    });
    expect(rig.changes).toEqual([]);
  });

  it('ends the session of a worker that sends Hello twice', async () => {
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

  it.each([0, PROTOCOL_VERSION - 1, PROTOCOL_VERSION + 1, 0xffffffff])(
    'refuses protocol version %i with both versions and what to do',
    async (version) => {
      const rig = await start();
      const worker = rig.worker('w1');
      worker.hello({ protocolVersion: version });
      expect(await worker.ended).toMatchObject({
        code: 'PROTOCOL_VERSION',
        retryable: false,
        message:
          `join: expected protocol version ${PROTOCOL_VERSION}, got ${version} from worker w1; ` +
          'install the same Lockstep version on both sides',
      });
      expect(rig.changes).toEqual([]);
    },
  );

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

  it('refuses a second worker with the same id, which may retry, and keeps the first', async () => {
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

  it('refuses a Hello without a beat key', async () => {
    const rig = await start();
    const worker = rig.worker('w1');
    worker.hello({ beatKey: new Uint8Array(15) });
    expect(await worker.ended).toMatchObject({
      code: 'BAD_MESSAGE',
      message: 'join: expected a beat key of 16 bytes from w1, got 15',
    });
  });

  it.each([
    ['another key', new Uint8Array(16).fill(1), 'another'],
    ['a shorter key', new Uint8Array(15), 'another'],
    ['no key', undefined, 'none'],
  ])("counts no heartbeat with %s as a worker's, and keeps the worker", async (_, beatKey, got) => {
    const rig = await start();
    await rig.workers('w1');
    const heartbeat = { phase: 'no such phase', residentBytes: 1, workerId: 'w1' };
    expect(() => rig.cluster.heard({ ...heartbeat, ...(beatKey && { beatKey }) })).toThrow(
      expect.objectContaining({
        code: 'DUPLICATE_WORKER',
        message: `heartbeat: expected the beat key that w1 joined with, got ${got}; only the process that joined may send its heartbeats`,
      }),
    );
    expect(rig.roster.get('w1')?.heartbeat).toBeUndefined();
    expect(rig.changes).toEqual(['w1 joined', 'w1 ready']);
    const own = { phase: 'idle', residentBytes: 1, workerId: 'w1', beatKey: new Uint8Array(16) };
    expect(rig.cluster.heard(own)).toBe(true);
    expect(rig.roster.get('w1')?.heartbeat).toEqual(own);
  });

  it.each<[string, Partial<Ready>]>([
    ['no fingerprint', { fingerprint: '' }],
    ['a fingerprint in capitals', { fingerprint: 'AB'.repeat(32) }],
    ['an engine version of 201 characters', { engineVersion: 'x'.repeat(201) }],
    ['a device with an escape sequence', { device: 'cpu\u001b[2J' }],
  ])('ends the session of a worker that is ready with %s', async (_, overrides) => {
    const rig = await start();
    const worker = rig.worker('w1');
    worker.hello();
    worker.ready(overrides);
    expect(await worker.ended).toMatchObject({
      code: 'BAD_MESSAGE',
      message: expect.stringMatching(/^ready from w1: expected /) as string,
    });
    expect(rig.changes).toEqual(['w1 joined', 'w1 lost']);
  });

  it('ends the session of a worker that is ready twice', async () => {
    const rig = await start();
    const [worker] = await rig.workers('w1');
    worker!.ready();
    expect(await worker!.ended).toMatchObject({ message: 'join: expected one Ready from w1, got a second' });
  });

  it('dismisses workers that join after the end, and all connected ones', async () => {
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

describe('the engine of the run', () => {
  const readyWith = async (rig: Rig, workerId: string, overrides: Partial<Ready>) => {
    const worker = rig.worker(workerId);
    worker.hello();
    worker.ready(overrides);
    await rig.changed(workerId, 'ready');
    return worker;
  };
  const other = { fingerprint: 'cd'.repeat(32) };

  it('is open to all before the first step, then that of most workers; the others are rejected', async () => {
    const rig = await start();
    const early = await readyWith(rig, 'early', other);
    await rig.workers('a', 'b');
    expect(await rig.cluster.beforeFirstStep()).toBe(false);
    expect(await early.ended).toMatchObject({
      code: 'OTHER_ENGINE',
      retryable: false,
      message:
        'join: expected engine raw (raw 1, fingerprint abababababab), which the run is bound ' +
        'to, got raw (raw 1, fingerprint cdcdcdcdcdcd) from worker early; the same ' +
        'arithmetic must give the same bits, so one machine is faulty: start that worker with another --isa, ' +
        'or set numerics: mixed, which gives up equal bits',
    });
    expect(rig.roster.readySessions.map(({ workerId }) => workerId)).toEqual(['a', 'b']);
    expect(await rig.cluster.beforeFirstStep()).toBe(true);
  });

  it('binds workers that join later', async () => {
    const rig = await start();
    await rig.workers('first');
    expect(await rig.cluster.beforeFirstStep()).toBe(true);
    const late = rig.worker('late');
    late.hello();
    late.ready({ engineVersion: 'raw 2' });
    expect(await late.ended).toMatchObject({
      code: 'OTHER_ENGINE',
      message: expect.stringMatching(/expected engine raw \(raw 1, .*got raw \(raw 2, .*from worker late/) as string,
    });
    await rig.workers('same');
    expect(rig.roster.readySessions.map(({ workerId }) => workerId)).toEqual(['first', 'same']);
  });

  it('is not fixed by a worker that has left', async () => {
    const rig = await start();
    const gone = await readyWith(rig, 'gone', other);
    gone.break();
    await rig.changed('gone', 'lost');
    expect(await rig.cluster.beforeFirstStep()).toBe(false);
    await rig.workers('a');
    expect(await rig.cluster.beforeFirstStep()).toBe(true);
    expect(rig.roster.readySessions.map(({ workerId }) => workerId)).toEqual(['a']);
  });
});

describe('a worker that never reads its messages', () => {
  it('is dropped when too many are queued for it', async () => {
    const rig = await start();
    const [deaf] = await rig.workers('deaf');
    deaf!.pause();
    // 20 kB each: the connection itself takes 8 MiB of them.
    const assignment = { generation: 1, shards: new Array<number>(20_000).fill(1), evaluationBatches: [] };
    for (let i = 0; i < 1_500; i++) rig.roster.get('deaf')!.send({ assignment });
    deaf!.send({ heartbeat: { phase: 'idle', residentBytes: 1 } });
    await rig.changed('deaf', 'lost');
    expect(rig.reasonOf('deaf', 'lost')).toMatch(/^join: expected deaf to read its messages, got 1\d{3} unread$/);
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
    [
      'an empty message',
      (worker) => worker.send({} as FromWorker),
      'lost',
      'join: got an empty message from w1; damaged in transit',
    ],
  ])('by %s is reported once, with its reason, and frees the worker id', async (_, end, change, reason) => {
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

  it('comes when a worker is silent past the heartbeat limit, and only then', async () => {
    const rig = await Rig.start(smallManifest(3), 600);
    const [silent, heard] = await rig.workers('silent', 'heard');
    silent!.send({ heartbeat: { phase: 'idle', residentBytes: 5 } });
    const beat = setInterval(() => heard!.send({ heartbeat: { phase: 'idle', residentBytes: 5 } }), 50);
    await rig.changed('silent', 'lost').finally(() => clearInterval(beat));
    expect(await silent!.ended).toMatchObject({
      code: 'LOST',
      retryable: true,
      message: expect.stringMatching(
        /^heartbeat: expected a message from silent within 0\.6 s, got none for \d\.\d s$/,
      ) as string,
    });
    expect(rig.roster.sessions.map(({ workerId }) => workerId)).toEqual(['heard']);
    expect(rig.roster.get('heard')?.heartbeat).toMatchObject({ phase: 'idle', residentBytes: 5 });
  });
});
