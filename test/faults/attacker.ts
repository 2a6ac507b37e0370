import { crc32 } from 'node:zlib';
import { onTestFinished } from 'vitest';
import { arithmeticVersion } from '../../engine/arithmetic.js';
import { CHUNK_BYTES, chunkCount } from '../../proto/chunks.js';
import type { FromWorker, Hello, Partial as PartialMessage, Ready, ShardReport } from '../../proto/messages.js';
import { PROTOCOL_VERSION } from '../../transport/services.js';
import { encoded, frame, HostilePeer, type RawCall } from './hostile-peer.js';
import type { ScriptedRun } from './scripted-run.js';

/** A valid Hello, except for `changes`. */
export function hello(changes: Partial<Hello> = {}): FromWorker {
  const own = {
    protocolVersion: PROTOCOL_VERSION,
    workerId: 'hostile',
    host: 'h',
    pid: 1,
    runtime: 'r',
    beatKey: new Uint8Array(16),
  };
  return { hello: { ...own, ...changes } };
}

/** A Ready of the scripted worker's engine class, except for `changes`. */
export function ready(changes: Partial<Ready> = {}): FromWorker {
  const engine = { engine: 'raw', engineVersion: 'raw 1', device: 'cpu', lowering: 'none', threads: 1, compileMs: 1 };
  return { ready: { ...engine, fingerprint: 'ab'.repeat(32), arithmetic: arithmeticVersion, cores: 1, ...changes } };
}

/** A chunk of NaN only. */
export function nanChunk(): Buffer {
  return Buffer.from(new Float32Array(CHUNK_BYTES / 4).fill(NaN).buffer);
}

/** Makes hostile calls to a run; its connections are closed after the test. */
export class Attacker {
  constructor(private readonly run: ScriptedRun) {}

  peer(): HostilePeer {
    const peer = new HostilePeer(this.run.address);
    onTestFinished(() => peer.close());
    return peer;
  }

  /** Sends `frames` as a separate request to `path`, e.g. `Data/Fetch`. */
  request(path: string, ...frames: Uint8Array[]): RawCall {
    return this.peer()
      .open(`/lockstep.v1.${path}`)
      .write(...frames)
      .end();
  }

  /** Sends `frames` on a Join stream. */
  join(frames: readonly Uint8Array[], headers: Record<string, string> = {}): RawCall {
    return this.peer()
      .open('/lockstep.v1.Cluster/Join', headers)
      .write(...frames);
  }

  /** Sends `messages` on a Join stream. */
  say(...messages: FromWorker[]): RawCall {
    return this.join(messages.map((message) => frame(encoded(message))));
  }

  /** A valid first chunk of shard 0 in the current step, except for `changes`. */
  partial(changes: Partial<PartialMessage> = {}): FromWorker {
    const { manifest, step } = this.run;
    const data = Buffer.alloc(CHUNK_BYTES);
    const at = { term: 1, step, node: { first: 0, count: 1 } };
    const own = { ...at, chunk: 0, chunks: chunkCount(manifest.parameterCount), data, reports: [this.report()] };
    const message = { ...own, ...changes };
    return { partial: { crc: crc32(message.data), ...message } };
  }

  /** A valid report of shard 0, except for `changes`. */
  report(changes: Partial<ShardReport> = {}): ShardReport {
    const statistics = Buffer.alloc(this.run.manifest.stateCount * 4);
    return { shard: 0, samples: 10, lossSum: 1, correct: 0, statistics, computeMs: 1, ...changes };
  }
}
