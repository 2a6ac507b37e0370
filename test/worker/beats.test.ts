import { createServer } from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { type BeatStream, serveBeats } from '../../coordinator/membership/beat-service.js';
import type { ClusterError } from '../../proto/errors.js';
import type { Heartbeat } from '../../proto/messages.js';
import { Beats } from '../../worker/beats.js';
import { LockstepWorker } from '../../worker/worker.js';
import { serve, within } from '../proto/wire.js';

const beatKey = new Uint8Array(16).fill(7);
const report = () => ({ phase: 'idle', residentBytes: 1, wideCores: 0 });

/** Sends heartbeats to a coordinator with this handler; `dead` settles with the error that ended them. */
async function beats(Beat: (stream: BeatStream) => void) {
  const address = await serve({ Join: () => undefined, Beat });
  let die!: (error: ClusterError) => void;
  const dead = new Promise<ClusterError>((resolve) => (die = resolve));
  const created = new Beats({ coordinator: address, workerId: 'w1', beatKey, report, onDead: (error) => die(error) });
  onTestFinished(() => created.close());
  return { beats: created, dead, address };
}

describe('heartbeats', () => {
  it('are sent before the coordinator has set their interval, and then at that interval', async () => {
    const heard: Heartbeat[] = [];
    let tell!: () => void;
    const many = new Promise<void>((resolve) => (tell = resolve));
    const { beats: sent } = await beats((stream) =>
      serveBeats(stream, (heartbeat) => {
        if (heard.push(heartbeat) === 1) sent.welcomed(50);
        if (heard.length === 5) tell();
        return true;
      }),
    );
    await within(many, 'five heartbeats', 2_000);
    expect(heard[0]).toMatchObject({ phase: 'idle', residentBytes: 1, workerId: 'w1' });
    expect(heard[0]!.sentMs).toBeGreaterThan(0);
  });

  it('end the session once the coordinator has twice not known it', async () => {
    let asked = 0;
    const { beats: sent, dead } = await beats((stream) => serveBeats(stream, () => (++asked, false)));
    sent.welcomed(50);
    expect(await within(dead, 'the end')).toMatchObject({ code: 'LOST', retryable: true });
    expect(asked).toBeGreaterThan(10);
  });

  it('have no effect before the coordinator has admitted the worker', async () => {
    let tell!: () => void;
    const third = new Promise<void>((resolve) => (tell = resolve));
    let answers = 0;
    const { dead } = await beats((stream) => {
      stream.on('data', ({ sentMs }: Heartbeat) => {
        stream.write({ sentMs: sentMs ?? 0, joined: false });
        if (++answers === 3) tell();
      });
    });
    await within(third, 'three answers');
    await new Promise(setImmediate);
    expect(await Promise.race([dead, Promise.resolve('alive')])).toBe('alive');
  });

  it('without answers make the worker give up the coordinator, unless it hears it elsewhere', async () => {
    const toFake = ['setInterval', 'clearInterval'] as const;
    vi.useFakeTimers({ toFake: [...toFake] });
    onTestFinished(() => void vi.useRealTimers());
    const { beats: sent, dead, address } = await beats(() => undefined);
    vi.advanceTimersByTime(10_000);
    sent.heard();
    vi.advanceTimersByTime(10_000);
    expect(await Promise.race([dead, Promise.resolve('alive')])).toBe('alive');
    vi.advanceTimersByTime(1_000);
    expect(await dead).toMatchObject({
      code: 'UNREACHABLE',
      message: `join ${address}: expected a sign of life within 10 s, got none`,
    });
  });
});

describe('an attempt to connect', () => {
  it('to a silent coordinator is given up after 5 s, for a new one', async () => {
    const mute = createServer((socket) => socket.on('error', () => undefined));
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void mute.close());
    const address = `127.0.0.1:${(mute.address() as { port: number }).port}`;
    let say!: (line: string) => void;
    const line = new Promise<string>((resolve) => (say = resolve));
    const worker = new LockstepWorker({ coordinator: address, waitMs: 60_000, cores: 1, log: (text) => say(text) });
    const run = worker.run();
    expect(await within(line, 'the end of the first attempt', 12_000)).toMatch(
      `no coordinator at ${address} (join ${address}: expected a connection within 5 s, got none); retrying in 0.2 s`,
    );
    worker.leave('enough');
    await within(run, 'the end');
  });
});
