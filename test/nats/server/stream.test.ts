import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { PublishedEvent } from '../event-schemas.js';
import { eventually, jetstream, missing, readEntry, readEvents } from './nats-server.js';
import { interrupt, scratch, signInFlags, startRun, startServer, steps } from './rig.js';

/** A logged or published event, reduced to the fields that both have. */
function inWords(type: string, fields: Record<string, unknown>): string {
  const names = ['state', 'reason', 'workerId', 'generation', 'epoch', 'step', 'digest', 'message'];
  return [type, ...names.map((name) => JSON.stringify(fields[name]) ?? '-')].join(' ');
}

const renamed: Record<string, string> = { assignment: 'reassigned' };

/** The events of the run's own log, in the terms of the stream. */
function logged(directory: string): string[] {
  const lines = readFileSync(join(directory, 'log.jsonl'), 'utf8').trim().split('\n');
  const entries = lines.map((line) => JSON.parse(line) as { msg: string } & Record<string, unknown>);
  return entries
    .filter(({ msg }) => msg !== 'listening')
    .map(({ msg, ...fields }) => {
      const { state } = fields;
      if (msg === 'worker') return inWords(String(fields['change']), fields);
      if (msg === 'evaluation') return inWords(msg, fields['record'] as Record<string, unknown>);
      if (msg === 'state' && ['finished', 'stopped', 'failed'].includes(String(state))) {
        return inWords(String(state), { reason: fields['reason'] });
      }
      return inWords(renamed[msg] ?? msg, fields);
    });
}

function published({ type, data }: PublishedEvent): string {
  const ending = ['finished', 'stopped', 'failed'].includes(type);
  return inWords(type, ending ? { reason: data['reason'] } : data);
}

/** Expects the stream's events to match the log's, in order, each once, with consecutive numbers. */
function expectComplete(events: readonly PublishedEvent[], directory: string): void {
  const [listening, ...rest] = events;
  expect(listening!.type).toBe('listening');
  expect(rest.map(published)).toEqual(logged(directory));
  expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_, i) => i + 1));
}

/** The stream's events of a type, by one of their fields. */
function of(events: readonly PublishedEvent[], type: string, field: string): unknown[] {
  return events.filter((event) => event.type === type).map(({ data }) => data[field]);
}

describe.skipIf(missing !== undefined)('the event stream (needs nats-server)', () => {
  it('has every event once and in order, though nats-server is killed and restarted three times', async () => {
    const server = await startServer();
    const directory = scratch();
    const run = await startRun(directory, '--nats', server.url(), '--nats-job', 'killed');
    for (let round = 1; round <= 3; round++) {
      await steps(run, 8);
      await server.kill();
      await steps(run, 12);
      await server.restart();
      await run.command.until(new RegExp(`(is reachable again[^]*){${round}}`));
    }
    const digest = await run.finish();
    const js = jetstream(await server.connect());
    const events = await readEvents(js);
    expectComplete(events, directory);
    expect(of(events, 'epoch', 'epoch')).toEqual([1, 2, 3, 4]);
    expect(of(events, 'note', 'message').filter((note) => String(note).includes('is unreachable'))).toHaveLength(3);
    expect(of(events, 'gap', 'lost')).toEqual([]);
    expect(events.at(-1)).toMatchObject({ type: 'finished', data: { step: 84, digest } });
    expect(await readEntry(js, 'killed')).toMatchObject({ state: 'finished', step: 84, epoch: 4, epochs: 4, digest });
  });

  it('has nothing twice when a run repeats steps, though the server has forgotten the ids', async () => {
    const server = await startServer();
    const directory = scratch();
    const first = await startRun(directory, '--nats', server.url(), '--nats-job', 'again');
    const jsm = await jetstream(await server.connect()).jetstreamManager();
    await jsm.streams.update('LOCKSTEP_EVENTS', { duplicate_window: 100_000_000 });
    const js = jsm.jetstream();
    await steps(first, 24);
    await interrupt(first);
    const before = await readEvents(js);
    expect(of(before, 'epoch', 'step')).toEqual([21]);
    expect(before.at(-1)).toMatchObject({ type: 'stopped', term: 1 });
    const checkpoints = readdirSync(join(directory, 'checkpoints')).filter((name) => !name.includes('00000000'));
    for (const name of checkpoints) rmSync(join(directory, 'checkpoints', name));

    const second = await startRun(directory, '--nats', server.url(), '--nats-job', 'again');
    const digest = await second.finish();
    expect(second.command.stdout).toContain('resumed at step 0 of 84 (start 2 of this run');
    const events = await readEvents(js);
    expect(of(events, 'epoch', 'step')).toEqual([21, 42, 63, 84]);
    expect(of(events, 'evaluation', 'step')).toEqual([21, 42, 63, 84]);
    const steppedAt = of(events, 'checkpoint', 'step');
    expect(new Set(steppedAt).size).toBe(steppedAt.length);
    expect(events.at(-1)).toMatchObject({ type: 'finished', term: 2, data: { digest } });
    expect(new Set(events.map(({ runId }) => runId)).size).toBe(1);
    const own = events.filter(({ owner }) => owner === events.at(-1)!.owner);
    expect(own.map(({ sequence }) => sequence)).toEqual(own.map((_, i) => i + 1));
  });

  it('is unaffected by a run that never reaches NATS, whose digest is the same', async () => {
    const [quiet, alone] = [scratch(), scratch()];
    const digest = await (await startRun(quiet)).finish();
    const run = await startRun(alone, '--nats', 'nats://127.0.0.1:9', ...signInFlags('user', 'secret-word'));
    expect(await run.finish()).toBe(digest);
    const { stdout } = run.command;
    expect(stdout).toContain(
      'NATS: nats://127.0.0.1:9 is unreachable (connection refused); training continues, events are queued',
    );
    expect(stdout).toMatch(
      /NATS: nats:\/\/127.0.0.1:9 did not receive [\d,]+ events and the last state of the run directory/,
    );
    expect(stdout + readFileSync(join(alone, 'log.jsonl'), 'utf8')).not.toContain('secret-word');
  });

  it('has the events from while the server was frozen, and the steps did not wait', async () => {
    const server = await startServer();
    const directory = scratch();
    const run = await startRun(directory, '--nats', server.url(), '--nats-job', 'frozen');
    await steps(run, 15);
    server.freeze();
    const tookMs: number[] = [];
    // Spans two epochs' ends, evaluations and checkpoints, and exceeds a request's timeout.
    const until = performance.now() + 4_000;
    while (tookMs.length < 40 || performance.now() < until) {
      const begin = performance.now();
      if (tookMs.length < 40) await run.nextStep();
      else await new Promise((resolve) => setTimeout(resolve, 50));
      tookMs.push(performance.now() - begin);
    }
    server.thaw();
    const digest = await run.finish();
    // A request to the server times out after 3 s.
    expect(Math.max(...tookMs)).toBeLessThan(1_500);
    const events = await readEvents(jetstream(await server.connect()));
    expectComplete(events, directory);
    expect(events.at(-1)).toMatchObject({ type: 'finished', data: { digest } });
  });

  it("has the steps' metrics, at most twice per second", async () => {
    const server = await startServer();
    const connection = await server.connect();
    const messages: { at: number; step: number; steps: number; stepMs: { mean: number } }[] = [];
    connection.subscribe('lockstep.v1.metered.metrics', {
      callback: (_, message) => {
        messages.push({ ...message.json<(typeof messages)[0]>(), at: performance.now() });
      },
    });
    await connection.flush();
    const run = await startRun(scratch(), '--nats', server.url(), '--nats-job', 'metered');
    await steps(run, 30);
    await eventually(
      () => Promise.resolve(messages.at(-1)?.step),
      (step) => step === 30,
      'metrics of step 30',
    );
    expect(messages.reduce((sum, { steps: more }) => sum + more, 0)).toBe(30);
    for (const { stepMs } of messages) expect(stepMs.mean).toBeGreaterThan(0);
    const gaps = messages.slice(1).map(({ at }, i) => at - messages[i]!.at);
    if (gaps.length > 0) expect(gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length).toBeGreaterThan(400);
  });
});
