import { fork } from 'node:child_process';
import type { EngineInfo } from '../engine/engine.js';
import type { JobManifest } from '../job/manifest.js';

export interface FingerprintQuestion {
  readonly manifest: JobManifest;
  readonly cacheDirectory: string | undefined;
}

export type FingerprintAnswer = { readonly fingerprint: string } | { readonly problem: string };

/** Limit for loading, compiling and one run of each program. A GPU's first start may compile kernels for minutes. */
const limitMs = 300_000;

/**
 * Fingerprint of the same programs and inputs in another process. GPU libraries may choose an algorithm by timing once
 * per process. Two runs in one process then agree, but a run resumed later may not.
 */
export function fingerprintElsewhere(question: FingerprintQuestion): Promise<FingerprintAnswer> {
  const entry = new URL('./fingerprint-main.js', import.meta.url);
  const child = fork(entry, { serialization: 'advanced', stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  return new Promise((resolve) => {
    const end = (answer: FingerprintAnswer) => {
      clearTimeout(timer);
      child.kill('SIGKILL');
      resolve(answer);
    };
    const timer = setTimeout(() => end({ problem: `it took more than ${limitMs / 1000} s` }), limitMs);
    child.once('message', (answer: FingerprintAnswer) => end(answer));
    child.once('error', ({ message }) => end({ problem: message }));
    child.once('exit', (code, signal) => end({ problem: `it ended with ${signal ?? code}` }));
    child.send(question, (error) => error && end({ problem: error.message }));
  });
}

/** Problem of a device whose fingerprints in two processes differ; undefined if they are equal. */
export function decideProof(info: EngineInfo, fingerprint: string, elsewhere: FingerprintAnswer): string | undefined {
  const expected = `prove engine: expected equal bits on ${info.device} (${info.lowering}) in two processes`;
  if ('problem' in elsewhere) return `${expected}, but the second one failed: ${elsewhere.problem}`;
  if (elsewhere.fingerprint === fingerprint) return undefined;
  const got = `got fingerprints ${fingerprint.slice(0, 12)} and ${elsewhere.fingerprint.slice(0, 12)}`;
  return `${expected}, ${got}; remove engine.name to compute on CPUs, or set numerics: mixed, which gives up equal bits`;
}
