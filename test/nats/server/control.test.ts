import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Kvm } from '@nats-io/kv';
import { describe, expect, it } from 'vitest';
import { listJobs } from '../../../cli/control/nats-jobs.js';
import { NatsControlClient } from '../../../cli/control/nats-control-client.js';
import { parseNatsUrl } from '../../../nats/address.js';
import { controlReplySchema } from '../../../nats/payloads.js';
import { eventually, jetstream, missing, readEntry, readEvents } from './nats-server.js';
import { scratch, secretFile, signInFlags, startRun, startServer, steps } from './rig.js';

describe.skipIf(missing !== undefined)('a run over NATS (needs nats-server)', () => {
  it('is shown, paused, saved, resumed and stopped by requests', async () => {
    const server = await startServer();
    const run = await startRun(scratch(), '--nats', server.url(), '--nats-job', 'steered');
    const client = new NatsControlClient({ address: parseNatsUrl(server.url()), job: 'steered' });
    try {
      await steps(run, 7);
      expect(await client.status()).toMatchObject({ job: 'cluster-cnn3', state: 'training', step: 7, totalSteps: 84 });
      const pausing = client.pause();
      // The pause takes effect when step 7, which is in progress, is done.
      const paused = await Promise.race([pausing, keepStepping(run, pausing)]);
      expect(paused).toMatchObject({ state: 'paused' });
      const { step } = paused!;
      expect((await client.checkpoint()).message).toContain(`step-${String(step).padStart(8, '0')}.safetensors`);
      expect((await client.resume()).message).toBe(`resumed after step ${step}`);
      await expect(client.scale(2)).rejects.toMatchObject({ code: 'REFUSED' });
      await expect(client.scale(-1)).rejects.toMatchObject({ code: 'BAD_MESSAGE', message: /workers/ });
      expect((await client.stop()).message).toContain('stopping after the current step');
    } finally {
      client.close();
    }
    expect((await run.command.ended).code).toBe(130);
    expect(await readEntry(jetstream(await server.connect()), 'steered')).toMatchObject({ state: 'stopped' });
  });

  it('answers invalid requests with what was expected, and continues', async () => {
    const server = await startServer();
    const run = await startRun(scratch(), '--nats', server.url(), '--nats-job', 'odd');
    const connection = await server.connect();
    const ask = async (verb: string, body: string | Uint8Array) => {
      const reply = await connection.request(`lockstep.v1.odd.control.${verb}`, body, { timeout: 5_000 });
      return controlReplySchema.parse(reply.json());
    };
    const bad = (message: RegExp) => ({
      ok: false,
      code: 'BAD_MESSAGE',
      message: expect.stringMatching(message) as string,
    });
    expect(await ask('explode', '')).toMatchObject(
      bad(/^control: expected one of owner, status, history, pause, .* got "explode"$/),
    );
    expect(await ask('scale', '{"workers":"many"}')).toMatchObject(bad(/workers/));
    expect(await ask('scale', '')).toMatchObject(bad(/workers/));
    expect(await ask('pause', '{"now":true}')).toMatchObject(bad(/now/));
    expect(await ask('pause', '{{{')).toMatchObject(bad(/expected a JSON object/));
    expect(await ask('status', new Uint8Array([0xff, 0xfe, 0]))).toMatchObject(bad(/expected a JSON object/));
    expect(await ask('status', '[]')).toMatchObject(bad(/status: expected a JSON object/));
    expect(await ask('status', '')).toMatchObject({ ok: true, reply: { state: 'training' } });
    const bucket = await new Kvm(jetstream(connection)).open('LOCKSTEP_JOBS');
    await bucket.put('not-ours', 'what?');
    // The entry is written while the run continues.
    const jobs = await eventually(
      () => listJobs(parseNatsUrl(server.url())),
      (found) => found.some(({ state }) => state === 'training'),
      'a job in training',
    );
    expect(jobs).toMatchObject([{ job: 'odd', state: 'training', step: 0, totalSteps: 84, epochs: 4 }]);
    await run.nextStep();
  });

  it('reports a name for which no coordinator answers', async () => {
    const server = await startServer();
    const client = new NatsControlClient({ address: parseNatsUrl(server.url()), job: 'nobody' });
    await expect(client.status()).rejects.toMatchObject({
      code: 'UNREACHABLE',
      message: /of job nobody at nats:.*got no listener/,
    });
    client.close();
  });
});

describe.skipIf(missing !== undefined)('a server that requires authentication (needs nats-server)', () => {
  it('is used with the right password; with a wrong one the run is unharmed and reports the reason', async () => {
    const server = await startServer('--user', 'ada', '--pass', 'right/word');
    const directory = scratch();
    const refused = await startRun(
      directory,
      '--nats',
      server.url(),
      '--nats-job',
      'door',
      ...signInFlags('ada', 'wrong-word'),
    );
    await steps(refused, 22);
    expect(refused.command.stdout).toMatch(
      /NATS: nats:\/\/127.0.0.1:\d+ is unreachable \(.*authorization violation.*\); training continues/i,
    );
    const told = refused.command.stdout + refused.command.stderr + readFileSync(join(directory, 'log.jsonl'), 'utf8');
    expect(told).not.toContain('wrong-word');

    const admitted = await startRun(
      scratch(),
      '--nats',
      server.url(),
      '--nats-job',
      'door',
      ...signInFlags('ada', 'right/word'),
    );
    const js = jetstream(await server.connect({ user: 'ada', pass: 'right/word' }));
    await eventually(
      () => readEvents(js),
      (events) => events.some(({ type }) => type === 'ready'),
      'a worker in the stream',
    );
    expect(admitted.command.stdout).not.toMatch(/is unreachable|right/);
  });

  it('is used with a token', async () => {
    const server = await startServer('--auth', 'one-token');
    const run = await startRun(
      scratch(),
      '--nats',
      server.url(),
      '--nats-job',
      'token',
      '--nats-token-file',
      secretFile('one-token'),
    );
    await run.finish();
    expect(run.command.stdout).not.toMatch(/is unreachable|did not receive/);
  });
});

/** Lets the run continue until `reached` settles. */
async function keepStepping(run: { nextStep(): Promise<void> }, reached: Promise<unknown>): Promise<undefined> {
  let done = false;
  void reached.finally(() => (done = true)).catch(() => undefined);
  while (!done) await Promise.race([run.nextStep().catch(() => undefined), reached]);
  return undefined;
}
