import type { Socket } from 'node:net';
import { countedAddress } from './address.js';
import {
  addFailures,
  type AddressCounts,
  type AdmissionLimits,
  decideAdmission,
  decideExpiry,
  decideRoom,
  type Drain,
  levelAt,
} from './decide-admission.js';

/** Connections handed over per turn of the event loop. Each costs about 0.5 ms, with TLS 1 to 2 ms. */
const perTurn = 8;
const sweepMs = 100;
/** Time that an address stays known after its last authenticated connection, so that workers can reconnect. */
const knownMs = 60_000;

interface Connection {
  readonly socket: Socket;
  readonly peer: string;
  readonly address: Address;
  /** Time at which it entered its state. */
  sinceMs: number;
  state: 'waiting' | 'pending' | 'authenticated' | 'closed';
}

/** Connections of one address; sets are in order of arrival. */
interface Address {
  readonly name: string;
  readonly waiting: Set<Connection>;
  readonly pending: Set<Connection>;
  authenticated: number;
  knownUntilMs: number;
  failures: Drain;
}

/** Connections that were dropped before they authenticated. */
export interface Dropped {
  count: number;
  /** Address of the last one. */
  address: string;
}

/**
 * Admits new connections to a server a few at a time, and drops those that don't authenticate; see
 * `decide-admission.ts`. The server calls `authenticated` as soon as a connection's peer has authenticated.
 */
export class Admission {
  readonly dropped: Dropped = { count: 0, address: '' };
  /** By peer. A server often knows only the peer's name, because TLS wraps the socket. */
  readonly #connections = new Map<string, Connection>();
  readonly #addresses = new Map<string, Address>();
  readonly #waiting = new Set<Connection>();
  /** Pending connections of addresses that weren't known when they were handed over. */
  readonly #unknown = new Set<Connection>();
  #failures: Drain = { level: 0, atMs: 0 };
  #authenticated = 0;
  #turn: NodeJS.Immediate | undefined;
  #sweeper: NodeJS.Timeout | undefined;

  constructor(
    private readonly limits: AdmissionLimits,
    private readonly handOver: (socket: Socket) => void,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Queues a new connection, which is handed over or dropped later. */
  add(socket: Socket): void {
    socket.on('error', () => undefined);
    const address = this.#addressOf(countedAddress(socket.remoteAddress));
    const peer = peerOf(socket);
    const connection: Connection = { socket, peer, address, sinceMs: this.now(), state: 'waiting' };
    this.#makeRoom(address);
    this.#connections.set(peer, connection);
    address.waiting.add(connection);
    this.#waiting.add(connection);
    socket.once('close', () => this.#closed(connection));
    this.#schedule();
    this.#sweeper ??= setInterval(() => this.#sweep(), sweepMs).unref();
  }

  /** Marks a connection as authenticated; the limits for pending connections no longer apply to it. */
  authenticated(peer: string): void {
    const connection = this.#connections.get(peer);
    if (connection?.state !== 'pending') return;
    const { address } = connection;
    // The sweep may not have seen them yet.
    if (connection.socket.bytesRead > this.limits.bytes) return this.reject(peer);
    const { perAddress, total } = this.limits.authenticated;
    if (address.authenticated >= perAddress || this.#authenticated >= total) return this.#drop(connection);
    this.#leave(connection, 'authenticated');
    address.authenticated++;
    this.#authenticated++;
    if (address.waiting.size > 0) this.#schedule();
  }

  /** Drops a pending connection whose peer broke a rule. Its address then waits as long as after many failures. */
  reject(peer: string): void {
    const connection = this.#connections.get(peer);
    if (connection?.state === 'pending') this.#drop(connection, this.limits.failures.perAddress.burst);
  }

  close(): void {
    clearImmediate(this.#turn);
    clearInterval(this.#sweeper);
  }

  #makeRoom(address: Address): void {
    const counts = { ofAddress: address.waiting.size, all: this.#waiting.size };
    const drop = decideRoom(counts, this.limits.waiting);
    if (drop === 'none') return;
    const [oldest] = drop === 'oldest of all' ? this.#waiting : address.waiting;
    if (oldest) this.#drop(oldest);
  }

  #schedule(): void {
    this.#turn ??= setImmediate(() => {
      this.#turn = undefined;
      if (this.#handOverSome(this.now()) === perTurn) this.#schedule();
    });
  }

  /** Hands over waiting connections: known addresses first, one per address in turn. @returns their number. */
  #handOverSome(nowMs: number): number {
    let handed = 0;
    for (const isKnown of [true, false]) {
      for (let before = -1; before < handed && handed < perTurn;) {
        before = handed;
        handed += this.#handOverRound(isKnown, perTurn - handed, nowMs);
      }
    }
    return handed;
  }

  /** Hands over the newest waiting connection of each address, at most `most`. @returns their number. */
  #handOverRound(isKnown: boolean, most: number, nowMs: number): number {
    let handed = 0;
    for (const address of [...this.#addresses.values()]) {
      if (handed === most) break;
      if (address.waiting.size === 0 || this.#isKnown(address, nowMs) !== isKnown) continue;
      const outcome = this.#handOverNewest(address, nowMs);
      if (outcome === 'none of all') break;
      if (outcome === 'none') continue;
      handed++;
      // Moves the address to the end of the order.
      this.#addresses.delete(address.name);
      this.#addresses.set(address.name, address);
    }
    return handed;
  }

  #handOverNewest(address: Address, nowMs: number): 'one' | 'none' | 'none of all' {
    const decision = decideAdmission(this.#countsOf(address, nowMs), this.#totals(nowMs), this.limits, nowMs);
    if (decision.action === 'wait') return decision.for === 'all' ? 'none of all' : 'none';
    if (decision.action === 'replace') {
      const [oldest] = decision.oldestOf === 'address' ? address.pending : this.#unknown;
      // Not a failure: with many honest peers, the last ones may be slow.
      this.#drop(oldest!, 0);
    }
    const newest = [...address.waiting].at(-1)!;
    this.#leave(newest, 'pending');
    address.pending.add(newest);
    if (!this.#isKnown(address, nowMs)) this.#unknown.add(newest);
    this.handOver(newest.socket);
    return 'one';
  }

  #sweep(): void {
    const nowMs = this.now();
    for (const connection of [...this.#waiting]) this.#expire(connection, nowMs);
    for (const address of [...this.#addresses.values()]) {
      for (const connection of [...address.pending]) this.#expire(connection, nowMs);
      if (this.#isForgettable(address, nowMs)) this.#addresses.delete(address.name);
    }
    if (this.#waiting.size > 0) this.#schedule();
    if (this.#addresses.size > 0) return;
    clearInterval(this.#sweeper);
    this.#sweeper = undefined;
  }

  #expire(connection: Connection, nowMs: number): void {
    const { socket, sinceMs, address } = connection;
    const isKnown = this.#isKnown(address, nowMs);
    const expiry = decideExpiry({ ageMs: nowMs - sinceMs, bytes: socket.bytesRead, isKnown }, this.limits);
    if (expiry === 'oversized') this.#drop(connection, this.limits.failures.perAddress.burst);
    if (expiry === 'late') this.#drop(connection);
  }

  #drop(connection: Connection, failures = 1): void {
    const { socket, address, state } = connection;
    this.dropped.count++;
    this.dropped.address = address.name;
    this.#leave(connection, 'closed');
    if (state === 'pending') this.#failed(address, failures);
    socket.destroy();
  }

  #closed(connection: Connection): void {
    const { address, peer, state } = connection;
    if (this.#connections.get(peer) === connection) this.#connections.delete(peer);
    this.#leave(connection, 'closed');
    if (state === 'pending') this.#failed(address, 1);
    if (state !== 'authenticated') return;
    address.authenticated--;
    this.#authenticated--;
    address.knownUntilMs = this.now() + knownMs;
    this.#sweeper ??= setInterval(() => this.#sweep(), sweepMs).unref();
  }

  #failed(address: Address, failures: number): void {
    const nowMs = this.now();
    const { perAddress, total } = this.limits.failures;
    address.failures = addFailures(address.failures, perAddress, failures, nowMs);
    if (!this.#isKnown(address, nowMs)) this.#failures = addFailures(this.#failures, total, 1, nowMs);
  }

  #leave(connection: Connection, next: Connection['state']): void {
    connection.state = next;
    connection.sinceMs = this.now();
    connection.address.waiting.delete(connection);
    connection.address.pending.delete(connection);
    this.#waiting.delete(connection);
    this.#unknown.delete(connection);
  }

  #addressOf(name: string): Address {
    const known = this.#addresses.get(name);
    if (known) return known;
    const failures = { level: 0, atMs: this.now() };
    const sets = { waiting: new Set<Connection>(), pending: new Set<Connection>() };
    const address = { name, ...sets, authenticated: 0, knownUntilMs: -Infinity, failures };
    this.#addresses.set(name, address);
    return address;
  }

  #isKnown({ authenticated, knownUntilMs }: Address, nowMs: number): boolean {
    return authenticated > 0 || knownUntilMs > nowMs;
  }

  #isForgettable(address: Address, nowMs: number): boolean {
    if (address.waiting.size + address.pending.size > 0 || this.#isKnown(address, nowMs)) return false;
    return levelAt(address.failures, this.limits.failures.perAddress, nowMs) === 0;
  }

  #countsOf(address: Address, nowMs: number): AddressCounts {
    const { pending, failures } = address;
    return { isKnown: this.#isKnown(address, nowMs), pending: pending.size, oldestMs: ageOf(pending, nowMs), failures };
  }

  #totals(nowMs: number): Omit<AddressCounts, 'isKnown'> {
    const unknown = this.#unknown;
    return { pending: unknown.size, oldestMs: ageOf(unknown, nowMs), failures: this.#failures };
  }
}

/** Name of a connection's peer, `ADDRESS:PORT`, in gRPC's format. */
export function peerOf({ remoteAddress, remotePort }: Pick<Socket, 'remoteAddress' | 'remotePort'>): string {
  return `${remoteAddress}:${remotePort}`;
}

/** Age of the first connection of a set; 0 if the set is empty. */
function ageOf([oldest]: ReadonlySet<Connection>, nowMs: number): number {
  return oldest ? nowMs - oldest.sinceMs : 0;
}
