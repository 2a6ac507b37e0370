import { Server, ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js';
import { hostname } from 'node:os';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type BeatStream, serveBeats } from '../../coordinator/membership/beat-service.js';
import { ClusterError, toStatus } from '../../proto/errors.js';
import type { ReceivedFromWorker, ToWorker } from '../../proto/messages.js';
import { Cluster } from '../../transport/services.js';
import { LockstepWorker } from '../../worker/worker.js';
import { newWorkerId } from '../../worker/worker-id.js';
import { serve, within } from '../proto/wire.js';

type Stream = ServerDuplexStream<ReceivedFromWorker, ToWorker>;

const beat = (stream: BeatStream) => serveBeats(stream, () => true);

/** An address where nothing listens, and a function that starts to listen there later. */
async function closedPort(): Promise<{ address: string; open: (join: (stream: Stream) => void) => Promise<void> }> {
  const bind = (server: Server, address: string) =>
    new Promise<number>((resolve, reject) => {
      server.bindAsync(address, ServerCredentials.createInsecure(), (error, port) =>
        error ? reject(error) : resolve(port),
      );
    });
  const first = new Server();
  const address = `127.0.0.1:${await bind(first, '127.0.0.1:0')}`;
  first.forceShutdown();
  return {
    address,
    open: async (join) => {
      const server = new Server();
      server.addService(Cluster.service, { Join: join, Beat: beat });
      onTestFinished(() => server.forceShutdown());
      await bind(server, address);
    },
  };
}

function worker(coordinator: string, waitMs: number) {
  const lines: string[] = [];
  let said: (() => void) | undefined;
  const log = (line: string) => {
    lines.push(line);
    said?.();
  };
  const created = new LockstepWorker({ coordinator, waitMs, cores: 1, log });
  const firstLine = new Promise<void>((resolve) => (said = resolve));
  return { worker: created, lines, firstLine };
}

describe('a worker without a coordinator', () => {
  it('reports the address and the time of the next attempt, and gives up after the limit', async () => {
    const { address } = await closedPort();
    const { worker: lonely, lines } = worker(address, 600);
    await expect(within(lonely.run(), 'the end', 10_000)).rejects.toMatchObject({
      code: 'UNREACHABLE',
      message: expect.stringMatching(
        `^join: expected a coordinator at ${address} within 1 s, got none \\(join ${address}: .*ECONNREFUSED`,
      ) as string,
    });
    expect(lines.length).toBeGreaterThanOrEqual(2);
    expect(lines[0]).toMatch(`no coordinator at ${address} (`);
    expect(lines[0]).toMatch(/\); retrying in 0\.[23] s$/);
    expect(lines[1]).toMatch(/\); retrying in 0\.[45] s$/);
  });

  it('continues when one is started later', async () => {
    const { address, open } = await closedPort();
    const { worker: early, firstLine } = worker(address, 60_000);
    const run = early.run();
    await within(firstLine, 'a line');
    await open((stream) => {
      stream.write({ finish: { reason: 'the job is over' } });
      stream.end();
    });
    expect(await within(run, 'the end', 10_000)).toEqual({ reason: 'the job is over' });
  });

  it('leaves at once when asked to, between two attempts too', async () => {
    const { address } = await closedPort();
    const { worker: told, firstLine } = worker(address, 60_000);
    const run = told.run();
    await within(firstLine, 'a line');
    told.leave('SIGTERM');
    expect(await within(run, 'the end', 1_000)).toEqual({ reason: 'SIGTERM' });
  });

  it('does not begin if it was asked to leave before', async () => {
    const { worker: told } = worker('127.0.0.1:1', 60_000);
    told.leave('SIGINT');
    expect(await within(told.run(), 'the end')).toEqual({ reason: 'SIGINT' });
  });
});

describe('a worker that is rejected', () => {
  it('ends if a retry would not help', async () => {
    let joins = 0;
    const address = await serve({
      Join: (stream: Stream) => {
        joins++;
        stream.emit('error', toStatus(new ClusterError('PROTOCOL_VERSION', 'join: expected protocol version 2')));
      },
    });
    await expect(within(worker(address, 60_000).worker.run(), 'the end')).rejects.toMatchObject({
      code: 'PROTOCOL_VERSION',
      message: 'join: expected protocol version 2',
    });
    expect(joins).toBe(1);
  });

  it('retries under the same id while its predecessor is still considered connected', async () => {
    const ids: string[] = [];
    const address = await serve({
      Join: (stream: Stream) => {
        stream.on('data', (message: ReceivedFromWorker) => {
          if (message.message === 'hello') ids.push(message.hello.workerId);
          if (ids.length > 1) stream.write({ finish: { reason: 'done' } });
          else stream.emit('error', toStatus(new ClusterError('DUPLICATE_WORKER', 'join: expected an id of its own')));
        });
      },
    });
    const { worker: again, lines } = worker(address, 60_000);
    expect(await within(again.run(), 'the end')).toEqual({ reason: 'done' });
    expect(ids).toEqual([again.workerId, again.workerId]);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('join: expected an id of its own');
  });
});

describe('a worker id', () => {
  it('is unique to a process: the host name and a random suffix', () => {
    const ids = Array.from({ length: 100 }, newWorkerId);
    expect(new Set(ids).size).toBe(100);
    for (const id of ids) {
      expect(id.startsWith(hostname().slice(0, 100))).toBe(true);
      expect(id).toMatch(/-[0-9a-f]{8}$/);
      expect(id.length).toBeLessThanOrEqual(200);
    }
  });
});
