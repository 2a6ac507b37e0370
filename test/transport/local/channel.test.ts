import { serialize } from 'node:v8';
import { describe, expect, it } from 'vitest';
import { LocalChannel } from '../../../transport/local/channel.js';
import { SharedFile } from '../../../transport/local/shared-file.js';
import { until } from '../../until.js';
import { socketPair } from './channel-pair.js';

/** No test here uses the file. */
const file = new SharedFile(1 << 30, 'worker');

function framed(message: unknown): Buffer {
  const bytes = serialize(message);
  const prefix = Buffer.alloc(4);
  prefix.writeUInt32LE(bytes.byteLength);
  return Buffer.concat([prefix, bytes]);
}

async function listening(): Promise<{
  other: Awaited<ReturnType<typeof socketPair>>[1];
  got: unknown[];
  channel: Channel;
}> {
  const [here, other] = await socketPair();
  const channel = new LocalChannel<unknown, unknown>(file, here);
  const got: unknown[] = [];
  channel.listen(
    (message) => got.push(message),
    () => got.push('the end'),
  );
  return { other, got, channel };
}
type Channel = LocalChannel<unknown, unknown>;

describe('a local channel', () => {
  it('carries messages both ways, in order, with every bit of their numbers', async () => {
    const [here, there] = await socketPair();
    const [a, b] = [here, there].map((socket) => new LocalChannel<unknown, unknown>(file, socket)) as [
      Channel,
      Channel,
    ];
    const [atA, atB]: unknown[][] = [[], []];
    a.listen((message) => atA!.push(message));
    b.listen((message) => atB!.push(message));
    const messages = [{ step: 1, lossSum: NaN }, { bytes: Uint8Array.of(1, 2), lossSum: -0 }, { x: Infinity }];
    for (const message of messages) a.send(message);
    b.send('back');
    await until(() => atA!.length + atB!.length === 4, 5_000, 'four messages');
    expect([atA, atB]).toEqual([['back'], messages]);
  });

  it('sends when the caller is done, all at once', async () => {
    const { other, channel } = await listening();
    const sizes: number[] = [];
    other.on('data', ({ byteLength }) => sizes.push(byteLength));
    channel.send(1);
    channel.send(2);
    await until(() => sizes.length > 0, 5_000, 'data');
    expect(sizes).toEqual([2 * framed(1).byteLength]);
  });

  it('reassembles messages that come in pieces, or several at a time', async () => {
    const { other, got } = await listening();
    const bytes = Buffer.concat(['one', { two: 2 }, [3]].map(framed));
    for (const part of [bytes.subarray(0, 2), bytes.subarray(2, 9), bytes.subarray(9, -1), bytes.subarray(-1)]) {
      other.write(part);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await until(() => got.length === 3, 5_000, 'three messages');
    expect(got).toEqual(['one', { two: 2 }, [3]]);
  });

  it.each([
    ['the other process closes it', undefined],
    ['what came is no message', Buffer.from([3, 0, 0, 0, 1, 2, 3])],
  ])('ends when %s', async (_, bytes) => {
    const { other, got, channel } = await listening();
    if (bytes) other.write(bytes);
    else other.destroy();
    await until(() => got.length > 0, 5_000, 'the end');
    expect(got).toEqual(['the end']);
    expect(channel.isOpen).toBe(false);
    channel.send('nobody there');
  });
});
