import { EventEmitter } from 'node:events';
import type { ServerHttp2Session } from 'node:http2';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { dropSilent } from '../../../coordinator/membership/connections.js';

/** A connection whose received bytes a test counts. */
class Connection extends EventEmitter {
  readonly socket = { bytesRead: 0 };
  destroyed = false;
  pings = 0;

  ping(): void {
    this.pings++;
  }

  destroy(): void {
    this.destroyed = true;
    this.emit('close');
  }
}

const limitMs = 20_000;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function watched(): Connection {
  const connection = new Connection();
  dropSilent(connection as unknown as ServerHttp2Session, limitMs);
  return connection;
}

describe('a silent connection', () => {
  it('is pinged, and cut off when nothing comes for the limit', () => {
    const connection = watched();
    vi.advanceTimersByTime(limitMs / 4);
    expect(connection.pings).toBe(1);
    vi.advanceTimersByTime(limitMs / 2);
    expect(connection.destroyed).toBe(false);
    vi.advanceTimersByTime(limitMs / 4);
    expect(connection.destroyed).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is kept while bytes come, though no ping is answered', () => {
    const connection = watched();
    for (let second = 0; second < 100; second += 10) {
      connection.socket.bytesRead += 1;
      vi.advanceTimersByTime(10_000);
    }
    expect(connection.destroyed).toBe(false);
  });

  it('is no longer watched once it is closed', () => {
    const connection = watched();
    connection.destroy();
    expect(vi.getTimerCount()).toBe(0);
  });
});
