import { type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { parseNatsUrl } from '../../../nats/address.js';
import { LastingConnection } from '../../../nats/connection.js';
import { within } from '../../proto/wire.js';
import { eventually, missing } from './nats-server.js';
import { startServer } from './rig.js';

/** Connections of this process to a port. */
function socketsTo(port: number): number {
  const { _getActiveHandles } = process as unknown as { _getActiveHandles: () => Socket[] };
  return _getActiveHandles().filter((handle) => handle.remotePort === port).length;
}

describe.skipIf(missing !== undefined)('the connection (needs nats-server)', () => {
  it('leaves no socket behind when the server is frozen and sends no INFO', async () => {
    const server = await startServer();
    server.freeze();
    const notes: string[] = [];
    const connection = new LastingConnection({
      address: parseNatsUrl(server.url()),
      name: 'test',
      onNote: (note) => notes.push(note),
    });
    await within(connection.firstFailure, 'the first attempt to fail', 10_000);
    expect(notes).toEqual([expect.stringContaining('is unreachable')]);
    await connection.close();
    await eventually(
      () => Promise.resolve(socketsTo(server.port)),
      (count) => count === 0,
      'no socket',
      3_000,
    );
  });
});
