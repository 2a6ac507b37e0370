import { once } from 'node:events';
import { mkdtempSync, openSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { WorkerLink } from '../../../coordinator/membership/session.js';
import { type LinkOrder, type LinkResult, LocalLink } from '../../../transport/local/channel.js';
import { SharedFile } from '../../../transport/local/shared-file.js';

/** Two connected sockets, gone when the test is. */
export async function socketPair(): Promise<[Socket, Socket]> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const there = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [here] = (await once(server, 'connection')) as [Socket];
  server.close();
  onTestFinished(() => [here, there].forEach((socket) => socket.destroy()));
  return [here, there];
}

/** Both ends of a link over a real file, gone when the test is. */
export async function linkPair(): Promise<{ coordinator: WorkerLink; worker: LocalLink<LinkResult, LinkOrder> }> {
  const [here, there] = await socketPair();
  const directory = mkdtempSync(join(tmpdir(), 'lockstep-link-'));
  const path = join(directory, 'file');
  const [mine, its] = [openSync(path, 'wx+'), openSync(path, 'r+')];
  const coordinator = new LocalLink<LinkOrder, LinkResult>(new SharedFile(mine, 'coordinator'), here);
  const worker = new LocalLink<LinkResult, LinkOrder>(new SharedFile(its, 'worker'), there);
  onTestFinished(() => {
    coordinator.close();
    worker.close();
    rmSync(directory, { recursive: true });
  });
  return { coordinator, worker };
}
