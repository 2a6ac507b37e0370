import { once } from 'node:events';
import { mkdtempSync, openSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { LocalChannel, type LocalCompute, type LocalResult } from '../../../transport/local/channel.js';
import type { CoordinatorChannel } from '../../../transport/local/coordinator-end.js';
import { SharedFile } from '../../../transport/local/shared-file.js';
import type { WorkerChannel } from '../../../transport/local/worker-end.js';

/** Two connected sockets; closed when the test ends. */
export async function socketPair(): Promise<[Socket, Socket]> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const there = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [here] = (await once(server, 'connection')) as [Socket];
  server.close();
  onTestFinished(() => [here, there].forEach((socket) => socket.destroy()));
  return [here, there];
}

/** Both ends of a channel over a real file; closed when the test ends. */
export async function channelPair(): Promise<{ coordinator: CoordinatorChannel; worker: WorkerChannel }> {
  const [here, there] = await socketPair();
  const directory = mkdtempSync(join(tmpdir(), 'lockstep-channel-'));
  const path = join(directory, 'file');
  const [mine, its] = [openSync(path, 'wx+'), openSync(path, 'r+')];
  const coordinator = new LocalChannel<LocalCompute, LocalResult>(new SharedFile(mine, 'coordinator'), here);
  const worker = new LocalChannel<LocalResult, LocalCompute>(new SharedFile(its, 'worker'), there);
  onTestFinished(() => {
    coordinator.close();
    worker.close();
    rmSync(directory, { recursive: true });
  });
  return { coordinator, worker };
}
