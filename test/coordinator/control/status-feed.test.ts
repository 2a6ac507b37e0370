import type { ServerWritableStream } from '@grpc/grpc-js';
import { describe, expect, it, onTestFinished } from 'vitest';
import { StatusFeed } from '../../../coordinator/control/status-feed.js';
import { GrpcControl } from '../../../cli/control/control-grpc.js';
import type { StatusReply } from '../../../proto/messages.js';
import { serve, within } from '../../proto/wire.js';
import { until } from '../../until.js';

type Call = ServerWritableStream<object, StatusReply>;

/** A feed behind a real server, and a client that follows it. */
async function watch(status: () => Promise<StatusReply>) {
  const feed = new StatusFeed(status);
  const address = await serve({ Watch: (call: Call) => feed.serve(call) });
  const client = new GrpcControl({ address, waitMs: 0 });
  onTestFinished(() => client.close());
  const heard: string[] = [];
  const away: string[] = [];
  const abort = new AbortController();
  const listener = { status: ({ state }: StatusReply) => heard.push(state), away: (why: string) => away.push(why) };
  return { feed, heard, away, abort, done: client.watch(listener, abort.signal) };
}

const reply = (state: string) => ({ state, workers: [], waitingFor: [] }) as unknown as StatusReply;

describe('following a run', () => {
  it('receives the state at once, again each second, and the last one when the run is over', async () => {
    let state = 'training';
    const { feed, heard, done } = await watch(() => Promise.resolve(reply(state)));
    await until(() => heard.length === 2, 5_000, '2 status(es)');
    state = 'finished';
    await feed.close();
    await within(done, 'the end of the watch');
    expect(heard).toEqual(['training', 'training', 'finished']);
  });

  it('ends with the reason when the job cannot start', async () => {
    const { done } = await watch(() => Promise.reject(new Error('no data')));
    await expect(within(done, 'the end')).rejects.toMatchObject({
      code: 'REFUSED',
      message: 'the job cannot start: no data',
    });
  });

  it('ends without an error when the caller stops', async () => {
    const { heard, abort, done } = await watch(() => Promise.resolve(reply('training')));
    await until(() => heard.length === 1, 5_000, '1 status(es)');
    abort.abort();
    await within(done, 'the end of the watch');
  });

  it('gives up on a coordinator that ends the connection without a last state, after its wait limit', async () => {
    const { feed, heard, done } = await watch(() => Promise.resolve(reply('training')));
    await until(() => heard.length === 1, 5_000, '1 status(es)');
    await feed.close();
    await expect(within(done, 'the end')).rejects.toMatchObject({ code: 'UNREACHABLE' });
  });
});
