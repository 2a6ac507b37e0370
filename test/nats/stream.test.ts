import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { EventMessage } from '../../coordinator/observe/nats/payloads.js';
import { lockstep, scratchDirectory, smallJob } from '../e2e/lockstep.js';
import { ScriptedRun } from '../faults/scripted-run.js';
import { eventually, jetstream, missing, NatsServer, readEntry, readEvents } from './nats-server.js';

/** Four epochs of 21 steps, with a checkpoint every five. */
const job = ['--epochs', '4', '--set', 'checkpoint.everySteps=5', '--nats-job', 'small'];

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

function scratch(): string {
  const directory = scratchDirectory();
  cleanUp.push(directory.remove);
  return directory.path;
}

async function startServer(...flags: string[]): Promise<NatsServer> {
  const server = await NatsServer.start(...flags);
  cleanUp.push(() => server.close());
  return server;
}

async function startRun(directory: string, ...flags: string[]): Promise<ScriptedRun> {
  const run = await ScriptedRun.start(directory, ...job, ...flags);
  cleanUp.push(() => run.close());
  return run;
}

async function steps(run: ScriptedRun, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await run.nextStep();
}

/** What the run's own log says has happened, in the words of the stream. */
function logged(directory: string): { type: string; data: object }[] {
  const lines = readFileSync(join(directory, 'log.jsonl'), 'utf8').trim().split('\n').slice(1);
  return lines.map((line) => {
    const {
      msg,
      level: _level,
      time: _time,
      ...data
    } = JSON.parse(line) as { msg: string; level: number; time: number };
    return { type: msg, data };
  });
}

/** A stream's event in the words of the log. */
function inWordsOfLog({ type, data }: EventMessage): string {
  const ends = ['finished', 'stopped', 'failed'];
  if (type === 'state' || ends.includes(type))
    return `state ${String(data['state'] ?? type)}: ${String(data['reason'])}`;
  if (['joined', 'ready', 'lost', 'left'].includes(type)) return `worker ${type} ${String(data['workerId'])}`;
  if (type === 'reassigned') return `assignment ${String(data['generation'])}`;
  return type + named(data);
}

function fromLog({ type, data }: { type: string; data: object }): string {
  const fields = data as Record<string, unknown>;
  if (type === 'state') return `state ${String(fields['state'])}: ${String(fields['reason'])}`;
  if (type === 'worker') return `worker ${String(fields['change'])} ${String(fields['workerId'])}`;
  if (type === 'assignment') return `assignment ${String(fields['generation'])}`;
  if (type === 'evaluation') return type + named(fields['record'] as Record<string, unknown>);
  return type + named(fields);
}

function named(fields: Record<string, unknown>): string {
  return ['epoch', 'step', 'digest', 'message'].map((name) => ` ${String(fields[name] ?? '-')}`).join('');
}

/** The stream has what the log has, in its order, each event once, and says so by its numbers. */
function expectComplete(events: readonly EventMessage[], directory: string): void {
  const [listening, ...rest] = events.filter(({ type, data }) => !isBeforeLog(type, data));
  expect(listening!.type).toBe('listening');
  expect(rest.map(inWordsOfLog)).toEqual(logged(directory).map(fromLog));
  expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_, i) => i + 1));
}

/** Notes that come before the coordinator has a log. */
function isBeforeLog(type: string, data: Record<string, unknown>): boolean {
  return type === 'note' && String(data['message']).startsWith('NATS: connected');
}

describe.skipIf(missing !== undefined)(`the event stream${missing === undefined ? '' : ` (${missing})`}`, () => {
  it('has every event once and in order, though nats-server is killed and started again three times', async () => {
    const server = await startServer();
    const directory = scratch();
    const run = await startRun(directory, '--nats', server.url());
    for (let round = 1; round <= 3; round++) {
      await steps(run, 8);
      await server.kill();
      await steps(run, 12);
      await server.restart();
      await run.command.until(new RegExp(`(is back[^]*){${round}}`));
    }
    const digest = await run.finish();
    const js = jetstream(await server.connect());
    const events = await readEvents(js);
    expectComplete(events, directory);
    const kinds = (type: string) => events.filter((event) => event.type === type);
    expect(kinds('epoch').map(({ data }) => data['epoch'])).toEqual([1, 2, 3, 4]);
    expect(kinds('note').filter(({ data }) => String(data['message']).includes('is away')).length).toBe(3);
    expect(kinds('gap')).toEqual([]);
    expect(events.at(-1)).toMatchObject({ type: 'finished', data: { step: 84, digest } });
    expect(await readEntry(js, 'small')).toMatchObject({ state: 'finished', step: 84, epoch: 4, epochs: 4, digest });
  });

  it('has no epoch twice when a run makes it again, even after the stream has forgotten its ids', async () => {
    const server = await startServer();
    const directory = scratch();
    const first = await startRun(directory, '--nats', server.url());
    const jsm = await jetstream(await server.connect()).jetstreamManager();
    await jsm.streams.update('LOCKSTEP_EVENTS', { duplicate_window: 100_000_000 });
    await steps(first, 24);
    const js = jsm.jetstream();
    await eventually(
      () => readEvents(js),
      (events) => events.some(({ type }) => type === 'evaluation'),
      'an evaluation',
    );
    first.command.process.kill('SIGINT');
    await first.close();
  });

  it('is left alone by a run that never reaches NATS, whose digest is the same', async () => {
    const [quiet, alone] = [scratch(), scratch()];
    const digestOf = async (run: Promise<ScriptedRun>) => (await run).finish();
    const digest = await digestOf(startRun(quiet));
    const run = startRun(alone, '--nats', 'nats://user:secret-word@127.0.0.1:9');
    expect(await digestOf(run)).toBe(digest);
    const { stdout } = (await run).command;
    expect(stdout).toContain('NATS: nats://127.0.0.1:9 is away (connection refused); training goes on, events wait');
    expect(stdout).toMatch(/did not get \d+ event\(s\) and the last state of the run directory/);
    expect(stdout + readFileSync(join(alone, 'log.jsonl'), 'utf8')).not.toContain('secret-word');
  });
});
void [lockstep, smallJob];
