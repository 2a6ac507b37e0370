import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Admission, peerOf } from '../../../transport/admission/admission.js';
import type { AdmissionLimits } from '../../../transport/admission/decide-admission.js';

const limits: AdmissionLimits = {
  pending: { perAddress: 2, perKnownAddress: 6, total: 4 },
  failures: { perAddress: { burst: 3, perSecond: 1 }, total: { burst: 100, perSecond: 100 } },
  waiting: { perAddress: 3, total: 5 },
  authenticated: { perAddress: 5, total: 6 },
  replaceAfterMs: 1_000,
  authenticateMs: { unknown: 5_000, known: 20_000 },
  bytes: 1_000,
};

let nextPort = 1_000;

/** A connection whose received bytes a test counts. */
class FakeSocket extends EventEmitter {
  bytesRead = 0;
  destroyed = false;
  readonly remotePort = nextPort++;

  constructor(readonly remoteAddress: string) {
    super();
  }

  destroy(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.emit('close');
  }
}

let nowMs = 0;
let handed: FakeSocket[];
let admission: Admission;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setImmediate', 'clearImmediate'] });
  nowMs = 0;
  handed = [];
  admission = new Admission(
    limits,
    (socket) => handed.push(socket as unknown as FakeSocket),
    () => nowMs,
  );
});
afterEach(() => {
  admission.close();
  vi.useRealTimers();
});

/** Advances the time and runs everything due by then. */
function pass(ms: number): void {
  for (let passed = 0; passed < ms; passed += 100) {
    nowMs += 100;
    vi.advanceTimersByTime(100);
  }
}

/** New connections of an address, as the server accepts them. */
function arrive(address: string, count: number): FakeSocket[] {
  const sockets = Array.from({ length: count }, () => new FakeSocket(address));
  for (const socket of sockets) admission.add(socket as unknown as Socket);
  vi.advanceTimersByTime(1);
  return sockets;
}

const authenticate = (socket: FakeSocket) => admission.authenticated(peerOf(socket));
const open = (sockets: readonly FakeSocket[]) => sockets.filter(({ destroyed }) => !destroyed).length;

describe('an address', () => {
  it('has two pending connections, and more once one has authenticated', () => {
    const sockets = [...arrive('10.0.0.1', 2), ...arrive('10.0.0.1', 3)];
    expect(handed).toHaveLength(2);
    authenticate(handed[0]!);
    vi.advanceTimersByTime(1);
    expect(handed).toHaveLength(5);
    expect(open(sockets)).toBe(5);
  });

  it('keeps its newest waiting connections', () => {
    const sockets = arrive('10.0.0.1', 9);
    expect(sockets.map(({ destroyed }) => destroyed)).toEqual([
      ...new Array<boolean>(6).fill(true),
      false,
      false,
      false,
    ]);
    expect(handed).toEqual([sockets[8], sockets[7]]);
  });

  it('cannot take the places of another one', () => {
    arrive('10.0.0.1', 3);
    const [other] = arrive('10.0.0.2', 1);
    expect(handed).toContain(other);
  });

  it('that only fails waits until its failures have drained', () => {
    for (let i = 0; i < 3; i++) arrive('10.0.0.1', 1)[0]!.destroy();
    const [late] = arrive('10.0.0.1', 1);
    expect(handed).toHaveLength(3);
    expect(handed).not.toContain(late);
    pass(200);
    expect(handed).toContain(late);
  });
});

describe('a pending connection', () => {
  it('is dropped when it has not authenticated within the limit', () => {
    const [socket] = arrive('10.0.0.1', 1);
    pass(4_900);
    expect(socket!.destroyed).toBe(false);
    pass(100);
    expect(socket!.destroyed).toBe(true);
    expect(admission.dropped).toEqual({ count: 1, address: '10.0.0.1' });
  });

  it('has more time where its address has authenticated before', () => {
    authenticate(arrive('10.0.0.1', 1)[0]!);
    const [socket] = arrive('10.0.0.1', 1);
    pass(19_900);
    expect(socket!.destroyed).toBe(false);
    pass(100);
    expect(socket!.destroyed).toBe(true);
  });

  it('that gave its place to another one costs its address no failure', () => {
    for (let i = 0; i < 5; i++) {
      arrive('10.0.0.1', 2);
      pass(1_000);
    }
    expect(handed).toHaveLength(10);
  });

  it('is dropped when it sends more than a handshake and a first call', () => {
    const [socket] = arrive('10.0.0.1', 1);
    socket!.bytesRead = 1_001;
    pass(100);
    expect(socket!.destroyed).toBe(true);
  });

  it('does not authenticate by sending more than that', () => {
    const [socket] = arrive('10.0.0.1', 1);
    socket!.bytesRead = 1_001;
    authenticate(socket!);
    expect(socket!.destroyed).toBe(true);
  });

  it('gives its place to one that waits, after a second', () => {
    const [first] = arrive('10.0.0.1', 1);
    pass(500);
    const [, waiting] = arrive('10.0.0.1', 2);
    expect(handed).toHaveLength(2);
    pass(400);
    expect(first!.destroyed).toBe(false);
    pass(100);
    expect(first!.destroyed).toBe(true);
    expect(handed).toHaveLength(3);
    expect(waiting!.destroyed).toBe(false);
  });

  it('is dropped by a rule that it breaks', () => {
    const [socket] = arrive('10.0.0.1', 1);
    admission.reject(peerOf(socket!));
    expect(socket!.destroyed).toBe(true);
  });
});

describe('an authenticated connection', () => {
  it('stays, whatever others do, however long and however much it sends', () => {
    const [worker] = arrive('10.0.0.1', 1);
    authenticate(worker!);
    worker!.bytesRead = 1e9;
    for (let i = 0; i < 20; i++) {
      arrive('10.0.0.1', 10);
      arrive(`10.0.1.${i}`, 10);
      pass(1_000);
    }
    admission.reject(peerOf(worker!));
    expect(worker!.destroyed).toBe(false);
  });

  it('lets its address connect during an attack by others', () => {
    const [worker] = arrive('10.0.0.1', 1);
    authenticate(worker!);
    for (let i = 0; i < 10; i++) arrive(`10.0.1.${i}`, 5);
    const [second] = arrive('10.0.0.1', 1);
    expect(handed).toContain(second);
  });

  it('is closed at once beyond the limit of its address', () => {
    const sockets: FakeSocket[] = [];
    for (let i = 0; i < 6; i++) {
      sockets.push(...arrive('10.0.0.1', 1));
      authenticate(sockets.at(-1)!);
    }
    expect(sockets.map(({ destroyed }) => destroyed)).toEqual([false, false, false, false, false, true]);
  });

  it('leaves nothing behind a minute after its end', () => {
    const [worker] = arrive('10.0.0.1', 1);
    authenticate(worker!);
    worker!.destroy();
    pass(60_100);
    expect(vi.getTimerCount()).toBe(0);
  });
});
