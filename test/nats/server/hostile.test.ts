import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInbox, type NatsConnection } from '@nats-io/transport-node';
import { describe, expect, it } from 'vitest';
import { ask } from '../../../nats/ask.js';
import { type Served, serveControl } from '../../../nats/control-requests.js';
import { Lease } from '../../../nats/lease.js';
import { noProgress } from '../../../nats/progress.js';
import { objectsOf, putIndex, putObject, readIndex, readChunk } from '../../../nats/object-chunks.js';
import { chunkObject } from '../../../nats/names.js';
import { objectChunkBytes, type RegistryEntry, type RunIndex } from '../../../nats/payloads.js';
import { restoreRun } from '../../../nats/restore.js';
import { sha256Of } from '../../../nats/run-files.js';
import { Seal } from '../../../nats/seal.js';
import { openStores, type Stores } from '../../../nats/stores.js';
import { prepareJob } from '../../../coordinator/prepare-job.js';
import { makeSynthetic } from '../../../data/synthetic.js';
import { parseSpec } from '../../../job/spec.js';
import { eventually, missing } from './nats-server.js';
import { scratch, startServer } from './rig.js';

/** A client of the server without the run's token may send anything; a run with a token accepts none of it. */

const token = 'the-token-of-the-cluster';
const seal = new Seal(token);
const foreign = new Seal('another-token-altogether');
const runId = '11111111-2222-4333-8444-555555555555';

/** A coordinator's control, which only counts the requests. */
function served(connection: NatsConnection, withSeal: Seal | undefined, notes: string[] = []) {
  const done: string[] = [];
  const act = (name: string) => () => Promise.resolve({ step: done.push(name), state: 'training', message: name });
  const control = { pause: act('pause'), resume: act('resume'), stop: act('stop'), checkpoint: act('checkpoint') };
  const source = {
    owner: () => ({ owner: 'here-1', runId }),
    control: () => Promise.resolve(control),
  } as unknown as Served;
  const onNote = (note: string) => notes.push(note);
  serveControl(connection, { job: 'j', seal: withSeal, source, isOurs: () => true, onNote });
  return done;
}

describe.skipIf(missing !== undefined)('control by an account without the token (needs nats-server)', () => {
  it('is rejected, whatever it signs or repeats; the holder of the token is obeyed, once per request', async () => {
    const server = await startServer();
    const connection = await server.connect();
    const done = served(connection, seal);
    const attacker = await server.connect();
    const request = { at: Date.now(), nonce: 'abcdefghijklmnop' };
    const send = async (body: object | string, verb = 'stop') => {
      const text = typeof body === 'string' ? body : JSON.stringify(body);
      const reply = await attacker.request(`lockstep.v1.j.control.${verb}`, text, { timeout: 5_000 });
      return reply.json<{ ok: boolean; code?: string; message?: string }>();
    };
    const refused = { ok: false, code: 'UNAUTHENTICATED' };
    expect(await send('')).toMatchObject(refused);
    expect(await send({ ...request, mac: '0'.repeat(64) })).toMatchObject(refused);
    expect(await send(foreign.add(['request', 'j', 'stop'], request))).toMatchObject(refused);
    expect(await send(seal.add(['request', 'j', 'pause'], request))).toMatchObject(refused);
    expect(await send(seal.add(['request', 'other', 'stop'], request))).toMatchObject(refused);
    expect(await send({ ...seal.add(['request', 'j', 'stop'], request), workers: 1 })).toMatchObject(refused);
    const old = seal.add(['request', 'j', 'stop'], { ...request, at: Date.now() - 61_000 });
    expect((await send(old)).message).toMatch(/made within 60 s, got one of 61 s ago/);
    expect(done).toEqual([]);
    const right = seal.add(['request', 'j', 'pause'], request);
    expect(await send(right, 'pause')).toMatchObject({ ok: true });
    expect((await send(right, 'pause')).message).toMatch(/already executed/);
    expect(done).toEqual(['pause']);
    const before = seal.add(['request', 'j', 'stop'], { at: Date.now() - 30_000, nonce: 'qrstuvwxyzabcdef' });
    expect((await send(before)).message).toMatch(/made after this coordinator started/);
  });

  it('answers into inboxes only, so that nobody can publish elsewhere with its rights', async () => {
    const server = await startServer();
    const connection = await server.connect();
    served(connection, undefined);
    const attacker = await server.connect();
    const heard: string[] = [];
    attacker.subscribe('>', { callback: (_, { subject }) => void heard.push(subject) });
    attacker.publish('lockstep.v1.j.control.owner', '', { reply: 'lockstep.v1.victim.control.stop' });
    attacker.publish('lockstep.v1.j.control.owner', '', { reply: '$JS.API.STREAM.DELETE.OBJ_LOCKSTEP_RUNS' });
    const inbox = createInbox();
    attacker.publish('lockstep.v1.j.control.owner', '', { reply: inbox });
    await eventually(
      () => Promise.resolve(heard),
      (subjects) => subjects.includes(inbox),
      'an answer',
    );
    expect(heard.filter((subject) => !subject.includes('.j.control.'))).toEqual([inbox]);
  });

  it('stops being read while requests flood in, and is read again afterwards', async () => {
    const server = await startServer();
    const notes: string[] = [];
    const done = served(await server.connect(), seal, notes);
    const attacker = await server.connect();
    for (let i = 0; i < 20_000; i++) attacker.publish('lockstep.v1.j.control.stop', 'x'.repeat(100));
    await attacker.flush();
    const question = { job: 'j', verb: 'owner', request: {}, seal, timeoutMs: 1_000 } as const;
    await eventually(
      () => ask(attacker, question),
      (answer) => typeof answer !== 'string' && answer.ok,
      'an answer after the flood',
    );
    expect(done).toEqual([]);
    expect(notes).toEqual([expect.stringMatching(/more than 200 requests per second on lockstep\.v1\.j\.control\.\*/)]);
  });

  it('cannot answer for the coordinator: only the signed answer counts, though a forged one comes first', async () => {
    const server = await startServer();
    const attacker = await server.connect();
    const forged = JSON.stringify({ v: 1, ok: true, reply: { owner: 'evil' } });
    attacker.subscribe('lockstep.v1.j.control.*', { callback: (_, message) => void message.respond(forged) });
    const question = { job: 'j', verb: 'owner', request: {}, seal, timeoutMs: 2_000 } as const;
    await attacker.flush();
    expect(await ask(attacker, { ...question, timeoutMs: 500 })).toBe('an unsigned reply');
    const connection = await server.connect();
    served(connection, seal);
    await connection.flush();
    expect(await ask(attacker, question)).toMatchObject({ ok: true, reply: { owner: 'here-1' } });
  });
});

function entryOf(owner: string, more: Partial<RegistryEntry> = {}): RegistryEntry {
  const about = { v: 1, job: 'j', runId, owner } as const;
  return { ...about, ...noProgress, state: 'training', updatedAt: '2026-01-01T00:00:00.000Z', ...more };
}

/** A lease of `here-1`, and its log. @param alive - owners that answer a signed question. */
function leaseWith(alive: readonly string[], mayReplace = true) {
  const [notes, lost]: [string[], Error[]] = [[], []];
  const lease = new Lease({
    ...{ job: 'j', owner: 'here-1', seal, mayReplace: () => mayReplace },
    answers: (owner) => Promise.resolve(alive.includes(owner)),
    describe: () => entryOf('here-1'),
    onLost: (error) => lost.push(error),
    onNote: (note) => notes.push(note),
  });
  return { lease, notes, lost };
}

describe.skipIf(missing !== undefined)(
  'the registry, written by an account without the token (needs nats-server)',
  () => {
    it.each([
      ['garbage', 'what?'],
      ['an unsigned entry', JSON.stringify(entryOf('evil-1'))],
      ['an entry signed with another token', JSON.stringify(foreign.add(['entry', 'j'], entryOf('evil-1')))],
      ["another job's signed entry", JSON.stringify(seal.add(['entry', 'k'], entryOf('evil-1')))],
      ['an old signed entry whose owner is gone', JSON.stringify(seal.add(['entry', 'j'], entryOf('gone-1')))],
      ['deeply nested JSON', '['.repeat(30_000)],
      ['more than an entry may have', ' '.repeat(100_000)],
    ])('does not end a run: %s', async (_, text) => {
      const server = await startServer();
      const { jobs } = await openStores(await server.connect());
      const { lease, lost } = leaseWith([]);
      await lease.claim(jobs);
      await jobs.put('j', text);
      await lease.renew();
      expect(lost).toEqual([]);
      expect((await jobs.get('j'))!.json()).toMatchObject({ owner: 'here-1' });
      lease.drop();
    });

    it('keeps no run from starting, except one that would lose its checkpoints, which says what to do', async () => {
      const server = await startServer();
      const { jobs } = await openStores(await server.connect());
      await jobs.put('j', JSON.stringify(entryOf('evil-1')));
      await expect(leaseWith([], false).lease.claim(jobs)).rejects.toThrow(/pass the --token-file.*--nats-start-over/);
      const { lease, notes } = leaseWith([]);
      expect(await lease.claim(jobs)).toBeUndefined();
      expect(notes).toEqual([expect.stringContaining("which wasn't signed with the token")]);
      lease.drop();
    });

    it('still belongs to a live coordinator with the token: a second one is refused, and the silent one stops', async () => {
      const server = await startServer();
      const { jobs } = await openStores(await server.connect());
      const { lease, lost } = leaseWith(['there-1']);
      await lease.claim(jobs);
      await jobs.put('j', JSON.stringify(seal.add(['entry', 'j'], entryOf('there-1'))));
      await lease.renew();
      expect(lost.map(({ message }) => message)).toEqual([
        expect.stringContaining('another coordinator resumed it: there-1'),
      ]);
      await expect(leaseWith(['there-1']).lease.claim(jobs)).rejects.toMatchObject({ code: 'JOB_IN_USE' });
    });
  },
);

/** A run in the store, as a coordinator leaves it. */
async function storeRun(stores: Stores) {
  const spec = parseSpec({
    ...{ name: 'j', model: 'cnn3', epochs: 1, shards: 1, batchPerShard: 10 },
    data: { dataset: 'synthetic' },
  });
  const { manifest } = await prepareJob(spec, makeSynthetic({ imagesPerBatch: 10, testImages: 10 }));
  const contents = {
    'job.json': JSON.stringify(manifest),
    'run.json': JSON.stringify({ runId, term: 1 }),
    'checkpoints/step-00000003.safetensors': 'weights',
  };
  const files: RunIndex['files'] = [];
  for (const [name, text] of Object.entries(contents)) {
    const bytes = Buffer.from(text);
    await putObject(stores, chunkObject('j', runId, sha256Of(bytes)), bytes);
    files.push({ name, size: bytes.length, parts: [sha256Of(bytes)] });
  }
  const index: RunIndex = {
    ...{ v: 1, job: 'j', runId, owner: 'gone-1', term: 1, step: 3, partBytes: objectChunkBytes, files },
    updatedAt: '2026-01-01T00:00:00.000Z',
  };
  await putIndex(stores, index, seal);
  return { spec, index };
}

describe.skipIf(missing !== undefined)(
  'the object store, written by an account without the token (needs nats-server)',
  () => {
    it('returns what the token has signed, and rejects anything else before a run is made of it', async () => {
      const server = await startServer();
      const stores = await openStores(await server.connect());
      const { spec, index } = await storeRun(stores);
      const restore = (directory: string, startOver = false, notes: string[] = []) =>
        restoreRun({
          ...{ stores, spec, directory, seal, startOver, entry: entryOf('gone-1') },
          onNote: (note) => notes.push(note),
        });
      const good = scratch();
      expect(await restore(good)).toBe(true);
      expect(readFileSync(join(good, 'checkpoints/step-00000003.safetensors'), 'utf8')).toBe('weights');

      const evil = Buffer.from('other weights');
      await putObject(stores, chunkObject('j', runId, sha256Of(evil)), evil);
      const files = index.files.map((file) =>
        file.name.startsWith('checkpoints') ? { ...file, size: evil.length, parts: [sha256Of(evil)] } : file,
      );
      const signed = seal.add(['index', 'j', runId], index);
      const forgeries: [RunIndex, Seal | undefined][] = [
        [{ ...index, files }, undefined],
        [{ ...index, files }, foreign],
        [{ ...signed, files }, undefined],
        [seal.add(['index', 'j', '99999999'], { ...index, files }), undefined],
      ];
      for (const [forged, by] of forgeries) {
        await putIndex(stores, forged, by);
        const directory = scratch();
        await expect(restore(directory)).rejects.toThrow(
          /isn't signed with the token.*--token-file.*--nats-start-over/,
        );
        expect(existsSync(join(directory, 'job.json'))).toBe(false);
        const notes: string[] = [];
        expect(await restore(directory, true, notes)).toBe(false);
        expect(notes).toEqual([expect.stringMatching(/isn't signed.*starting over$/)]);
      }
    });

    it.each([
      ['a name with ..', { name: 'model/../../x' }],
      ['an absolute name', { name: '/etc/passwd' }],
      ['a control character in a name', { name: 'model/a\u001b[2J' }],
      ['a size that its parts cannot have', { size: 2 ** 40 }],
      ['parts that are no digests', { parts: ['../../index'] }],
    ])('accepts no index with %s, even without a token', async (_, change) => {
      const server = await startServer();
      const stores = await openStores(await server.connect());
      const { index } = await storeRun(stores);
      const [first, ...others] = index.files;
      await putIndex(stores, { ...index, files: [{ ...first!, ...change }, ...others] }, undefined);
      await expect(readIndex(stores, { job: 'j', runId }, undefined)).rejects.toThrow();
    });

    it('has no object that follows a link, is larger than declared, or never ends', async () => {
      const server = await startServer();
      const connection = await server.connect();
      const stores = await openStores(connection);
      const name = (n: number) => chunkObject('j', runId, String(n).repeat(64));
      const describeObject = async (n: number, info: object | string) => {
        const encoded = Buffer.from(name(n)).toString('base64url');
        const subject = `$O.LOCKSTEP_RUNS.M.${encoded.padEnd(Math.ceil(encoded.length / 4) * 4, '=')}`;
        await stores.js.publish(subject, typeof info === 'string' ? info : JSON.stringify(info));
      };
      const info = { name: 'x', bucket: 'LOCKSTEP_RUNS', nuid: 'N1', size: 10, chunks: 1, digest: 'SHA-256=x' };
      await describeObject(1, { ...info, options: { link: { bucket: 'LOCKSTEP_RUNS', name: name(1) } } });
      await describeObject(2, { ...info, size: 2 ** 50 });
      await describeObject(3, { ...info, nuid: '*' });
      await describeObject(4, '{{{');
      await describeObject(5, { ...info, nuid: 'N5', chunks: 2 });
      await stores.js.publish('$O.LOCKSTEP_RUNS.C.N5', 'x'.repeat(50_000));
      const read = (n: number) => readChunk(stores, 'j', runId, String(n).repeat(64));
      await expect(read(1)).rejects.toThrow('expected 1 more chunks, got none');
      await expect(read(2)).rejects.toThrow(/expected at most 1048576 bytes/);
      await expect(read(3)).rejects.toThrow('expected the description of an object');
      await expect(read(4)).rejects.toThrow('expected the description of an object');
      await expect(read(5)).rejects.toThrow('expected 10 bytes, got more');
      expect(await objectsOf(stores, 'j')).toHaveLength(5);
    });
  },
);
