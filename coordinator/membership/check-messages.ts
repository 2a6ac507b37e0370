import { timingSafeEqual } from 'node:crypto';
import { ClusterError } from '../../proto/errors.js';
import type { Heartbeat, Hello, Holding, Ready, WorkerPhase } from '../../proto/messages.js';
import { beatKeyBytes, PROTOCOL_VERSION } from '../../transport/services.js';

/** Checks of workers' messages, whose contents go into logs, status and run.json. */

/** Longest accepted name or version, and longest reason; in characters. */
const maxText = 200;
const maxReason = 2_000;

/** Controls, invisible formatting (which can reverse a line), lone surrogates and line separators. */
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+/gu;
const phases: ReadonlySet<string> = new Set<WorkerPhase>(['idle', 'receiving', 'computing', 'sending']);

/** Untrusted text as one line that is safe for terminals and logs. */
export function printable(text: string, limit = maxReason): string {
  const cut = text.length > limit ? `${text.slice(0, limit)}…` : text;
  return cut.replace(unprintable, ' ').trim();
}

/** @throws ClusterError PROTOCOL_VERSION, BAD_MESSAGE */
export function checkHello({ workerId, protocolVersion, host, runtime, beatKey }: Hello): void {
  if (protocolVersion !== PROTOCOL_VERSION) {
    throw new ClusterError(
      'PROTOCOL_VERSION',
      `join: expected protocol version ${PROTOCOL_VERSION}, got ${protocolVersion} from worker ${printable(workerId, maxText)}; ` +
        'install the same Lockstep version on both sides',
    );
  }
  if (workerId === '') throw bad(`join: expected a worker id of 1 to ${maxText} characters, got none`);
  checkTexts('join', { 'worker id': workerId, host, runtime });
  if (beatKey.byteLength === beatKeyBytes) return;
  throw bad(`join: expected a beat key of ${beatKeyBytes} bytes from ${workerId}, got ${beatKey.byteLength}`);
}

/**
 * Binds heartbeats to the process that joined. The error is retryable: the sender may be the original worker, whose id
 * another process took after it was lost.
 * @throws ClusterError DUPLICATE_WORKER
 */
export function checkBeatKey({ beatKey }: Heartbeat, hello: Hello): void {
  const expected = hello.beatKey;
  if (beatKey?.byteLength === expected.byteLength && timingSafeEqual(beatKey, expected)) return;
  throw new ClusterError(
    'DUPLICATE_WORKER',
    `heartbeat: expected the beat key that ${hello.workerId} joined with, got ${beatKey?.byteLength ? 'another' : 'none'}; ` +
      'only the process that joined may send its heartbeats',
  );
}

/** @throws ClusterError BAD_MESSAGE */
export function checkReady(ready: Ready, workerId: string): void {
  const { engine, engineVersion, device, lowering, placement = '', fingerprint } = ready;
  const { target = '', targetReason = '' } = ready;
  const operation = `ready from ${workerId}`;
  checkTexts(operation, { engine, engineVersion, device, lowering, placement, target, 'target reason': targetReason });
  if (!/^[0-9a-f]{64}$/.test(fingerprint)) {
    throw bad(`${operation}: expected a fingerprint of 64 hexadecimal digits, got ${quoted(fingerprint)}`);
  }
}

/** @throws ClusterError BAD_MESSAGE */
export function checkHeartbeat({ phase, residentBytes }: Heartbeat, workerId: string): void {
  if (!phases.has(phase)) {
    throw bad(`heartbeat from ${workerId}: expected phase ${[...phases].join(', ')}, got ${quoted(phase)}`);
  }
  if (!(residentBytes >= 0 && residentBytes < Infinity)) {
    throw bad(`heartbeat from ${workerId}: expected residentBytes of 0 or more, got ${residentBytes}`);
  }
}

/** @throws ClusterError BAD_MESSAGE */
export function checkHolding({ shards }: Holding, count: number, workerId: string): void {
  const wrong = shards.find((shard) => shard >= count);
  if (shards.length <= count && wrong === undefined) return;
  const found = wrong === undefined ? `${shards.length} shards` : `shard ${wrong}`;
  throw bad(`holding from ${workerId}: expected some of shards 0..${count - 1}, got ${found}`);
}

function checkTexts(operation: string, texts: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(texts)) {
    if (text.length > maxText) {
      throw bad(`${operation}: expected a ${name} of at most ${maxText} characters, got ${text.length}`);
    }
    if (printable(text) !== text) {
      throw bad(`${operation}: expected a ${name} of printable characters, got ${quoted(text)}`);
    }
  }
}

/** Untrusted text in a message, truncated and in ASCII. */
function quoted(text: string): string {
  const ascii = JSON.stringify(text.slice(0, 64)).replace(/[^\x20-\x7e]/g, '?');
  return text.length > 64 ? `${ascii} and more` : ascii;
}

function bad(message: string): ClusterError {
  return new ClusterError('BAD_MESSAGE', message);
}
