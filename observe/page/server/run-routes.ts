import { setTimeout as sleep } from 'node:timers/promises';
import type { HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import { type SSEStreamingApi, streamSSE } from 'hono/streaming';
import type { Cursor } from '../../../coordinator/state/history.js';
import { cursorSchema } from '../../../coordinator/state/update.js';
import { answerBadInput } from './input.js';
import { addressOf } from './peers.js';
import type { Site } from './site.js';

/** Interval between two updates of a client. */
const tickMs = 250;
/** Maximum time between two updates of a client, so that it notices when the coordinator disappears. */
const quietMs = 2_000;
/** A client that accepts no update for this long is dropped. */
const slowMs = 30_000;
/** Maximum number of concurrent clients; those behind one proxy share its address. */
const maxClients = { perAddress: 32, total: 64 };

/** `/api/run`: the whole state so far. `/api/events`: later updates, as server-sent events. */
export function runRoutes(site: Site): Hono {
  const routes = new Hono();
  const clients = new Clients();
  routes.get('/api/run', async (context) => {
    context.header('Cache-Control', 'no-store');
    return context.json(await site.whole());
  });
  routes.get('/api/events', (context) => {
    // The client of a HEAD request reads no stream, so the stream would never end.
    if (context.req.method === 'HEAD') return context.body(null, 405, { Allow: 'GET' });
    const after = cursorSchema.optional().safeParse(context.req.header('Last-Event-ID') ?? context.req.query('after'));
    if (!after.success) return answerBadInput(context, 'Last-Event-ID or after', after.error);
    const address = addressOf(context);
    const refusal = clients.add(address);
    if (refusal !== undefined) return context.json({ error: refusal }, 503);
    const drop = () => (context.env as Partial<HttpBindings>).incoming?.socket.destroy();
    return streamSSE(context, async (stream) => {
      try {
        await follow(site, stream, after.data === undefined ? undefined : site.locate(after.data), drop);
      } finally {
        clients.remove(address);
      }
    });
  });
  return routes;
}

/** Counts clients by address. */
class Clients {
  readonly #counts = new Map<string, number>();
  #total = 0;

  /** Adds a client from `address`. @returns the reason if there are too many, else undefined. */
  add(address: string): string | undefined {
    const count = this.#counts.get(address) ?? 0;
    const { perAddress, total } = maxClients;
    if (this.#total >= total) return `expected at most ${total} clients; try later`;
    if (count >= perAddress) return `expected at most ${perAddress} clients from one address; try later`;
    this.#counts.set(address, count + 1);
    this.#total++;
    return undefined;
  }

  remove(address: string): void {
    const count = this.#counts.get(address)! - 1;
    if (count > 0) this.#counts.set(address, count);
    else this.#counts.delete(address);
    this.#total--;
  }
}

/**
 * Sends updates until the run is over or the client disconnects. Each update is made once the previous one is accepted and
 * covers everything since: a slow client gets fewer updates and costs no memory.
 */
async function follow(site: Site, stream: SSEStreamingApi, from: Cursor | undefined, drop: () => void): Promise<void> {
  let cursor = from;
  let sentMs = -Infinity;
  while (!stream.aborted) {
    const isOver = site.closing.aborted;
    const now = site.now;
    const isNew = now.step !== cursor?.step || now.version !== cursor.version;
    if (isNew || isOver || performance.now() - sentMs >= quietMs) {
      const update = await site.update(cursor);
      const slow = setTimeout(drop, slowMs).unref();
      await stream.writeSSE({ event: 'update', id: update.cursor, data: JSON.stringify(update), retry: 1000 });
      clearTimeout(slow);
      cursor = now;
      sentMs = performance.now();
    }
    if (isOver) return stream.writeSSE({ event: 'over', data: '' });
    await sleep(tickMs, undefined, { signal: site.closing, ref: false }).catch(() => undefined);
  }
}
