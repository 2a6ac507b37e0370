import type { ServerResponse } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { Api } from '../../../operator/kube/api.js';
import { Connector } from '../../../operator/kube/connection.js';
import { Informer, type InformerTimes } from '../../../operator/kube/informer.js';
import { ObjectCache } from '../../../operator/kube/object-cache.js';
import { podResource } from '../../../operator/kube/resources.js';
import { until } from '../../until.js';
import { type Answer, refusal, ScriptedServer, send } from '../api-stub.js';

const limitMs = 5_000;
const quick: InformerTimes = {
  silentMs: 60_000,
  relistMs: 3_600_000,
  watchMs: 60_000,
  backoff: { firstMs: 10, maxMs: 20 },
};

const pod = (name: string, version: number) => ({
  metadata: { name, namespace: 'default', uid: `uid-${name}`, resourceVersion: `${version}` },
});
const list = (version: number, ...items: object[]) => ({ metadata: { resourceVersion: `${version}` }, items });

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

/** An informer of pods that follows a scripted server. */
async function follow(answer: Answer, times: Partial<InformerTimes> = {}) {
  const server = new ScriptedServer(answer);
  const connector = new Connector(await server.start());
  const cache = new ObjectCache('label', () => undefined);
  const restarts: string[] = [];
  const informer = new Informer(new Api(connector), cache, {
    resource: podResource,
    namespace: 'default',
    labelSelector: 'a=b',
    times: { ...quick, ...times },
    onRestart: (_resource, why) => restarts.push(why),
  });
  const stop = new AbortController();
  const running = informer.run(stop.signal);
  cleanups.push(async () => {
    stop.abort();
    await running;
    connector.close();
    await server.close();
  });
  const versions = (): Record<string, string | undefined> =>
    Object.fromEntries([...cache.values()].map(({ metadata }) => [metadata!.name!, metadata?.resourceVersion]));
  return { server, cache, informer, restarts, versions };
}

function event(response: ServerResponse, type: string, object: object): void {
  response.write(`${JSON.stringify({ type, object })}\n`);
}

test('lists in pages, then follows the watch from the version of the list', async () => {
  const watches: string[] = [];
  const { versions, cache } = await follow((_request, response, { searchParams }) => {
    if (searchParams.has('watch')) {
      watches.push(['resourceVersion', 'allowWatchBookmarks', 'labelSelector'].map((k) => searchParams.get(k)).join());
      event(response, 'ADDED', pod('c', 12));
      event(response, 'MODIFIED', pod('a', 13));
      event(response, 'DELETED', pod('b', 14));
    } else if (searchParams.get('continue') === 'more') send(response, list(10, pod('b', 3)));
    else send(response, { ...list(10, pod('a', 2)), metadata: { resourceVersion: '10', continue: 'more' } });
  });
  await until(() => cache.get('default/c') !== undefined && cache.get('default/b') === undefined, limitMs, 'events');
  expect(versions()).toEqual({ a: '13', c: '12' });
  expect(watches).toEqual(['10,true,a=b']);
});

test('an event in two chunks is one, and the watch continues at its version after the stream broke', async () => {
  const watches: (string | null)[] = [];
  const { server, cache } = await follow((_request, response, { searchParams }) => {
    if (!searchParams.has('watch')) return send(response, list(10));
    watches.push(searchParams.get('resourceVersion'));
    if (watches.length > 1) return event(response, 'ADDED', pod('b', 12));
    const line = `${JSON.stringify({ type: 'ADDED', object: pod('ä', 11) })}\n`;
    const bytes = Buffer.from(line);
    const middle = bytes.indexOf(Buffer.from('ä')) + 1;
    response.write(bytes.subarray(0, middle));
    setTimeout(() => {
      response.write(bytes.subarray(middle));
      setTimeout(() => response.destroy(), 20);
    }, 20);
  });
  await until(() => cache.get('default/b') !== undefined, limitMs, 'the second watch');
  expect(cache.get('default/ä')?.metadata?.resourceVersion).toBe('11');
  expect(watches).toEqual(['10', '11']);
  expect(server.requests.filter((request) => !request.endsWith('watch'))).toHaveLength(1);
});

test.each([
  ['as the status of the watch', (response: ServerResponse) => send(response, refusal(410, 'Expired'), 410)],
  ['as an event', (response: ServerResponse) => event(response, 'ERROR', refusal(410, 'Expired'))],
])('a version that is too old, reported %s, leads to a new list, which shows what is gone', async (_how, tell) => {
  let lists = 0;
  const { versions } = await follow((_request, response, { searchParams }) => {
    if (!searchParams.has('watch'))
      return send(response, ++lists === 1 ? list(10, pod('a', 2)) : list(20, pod('b', 15)));
    if (lists === 1) tell(response);
    else response.flushHeaders();
  });
  await until(() => lists === 2 && versions()['b'] !== undefined, limitMs, 'a second list');
  expect(versions()).toEqual({ b: '15' });
});

test('a silent watch is restarted with a new list; bookmarks keep it', async () => {
  let lists = 0;
  let bookmarks: NodeJS.Timeout | undefined;
  const { restarts, server } = await follow(
    (_request, response, { searchParams }) => {
      if (!searchParams.has('watch')) return send(response, list((lists += 1)));
      response.flushHeaders();
      if (lists === 1) return;
      bookmarks = setInterval(() => event(response, 'BOOKMARK', { metadata: { resourceVersion: '7' } }), 50);
    },
    { silentMs: 200 },
  );
  await until(() => lists === 2, limitMs, 'a second list');
  expect(restarts).toEqual(['watch: expected a bookmark within 200 ms, got no data']);
  const count = server.requests.length;
  await new Promise((resolve) => setTimeout(resolve, 600));
  clearInterval(bookmarks);
  expect(server.requests.length - count).toBeLessThanOrEqual(1);
  expect(lists).toBe(2);
});

test('a server that refuses is retried later and later, and its answer is in the reason', async () => {
  const times: number[] = [];
  const { restarts, informer } = await follow(
    (_request, response, { searchParams }) => {
      if (searchParams.has('watch')) return response.flushHeaders();
      times.push(performance.now());
      if (times.length < 5) send(response, refusal(403, 'Forbidden'), 403);
      else send(response, list(1));
    },
    { backoff: { firstMs: 40, maxMs: 160 } },
  );
  await informer.synced;
  const gaps = times.slice(1).map((time, index) => time - times[index]!);
  for (const [index, atLeast] of [20, 40, 80, 80].entries()) expect(gaps[index]).toBeGreaterThanOrEqual(atLeast - 2);
  expect(restarts[0]).toContain('403 Forbidden: because of Forbidden');
});

test('everything is listed again from time to time, which shows what a watch has missed', async () => {
  let lists = 0;
  const { versions, restarts } = await follow(
    (_request, response, { searchParams }) => {
      if (!searchParams.has('watch'))
        return send(response, ++lists === 1 ? list(1, pod('a', 1)) : list(9, pod('b', 8)));
      response.flushHeaders();
      setTimeout(() => response.end(), 1_050);
    },
    { relistMs: 500 },
  );
  await until(() => versions()['b'] !== undefined, limitMs, 'a second list');
  expect(versions()).toEqual({ b: '8' });
  expect(restarts).toEqual([]);
});
