import type { EngineInfo } from '../../engine/engine.js';
import type { Ready } from '../../proto/messages.js';

/** What decides the bits that a worker computes, as far as it can be told; `run.json` keeps that of the run. */
export interface EngineClass extends EngineInfo {
  /** SHA-256 of what the job's programs compute on probe inputs, 64 hexadecimal digits. */
  readonly fingerprint: string;
}

export function engineClassOf(ready: Ready): EngineClass {
  const { engine: name, engineVersion: version, device, lowering, threads, fingerprint } = ready;
  return { name, version, device, lowering, threads, fingerprint };
}

/** For people and for comparing; the fingerprint's first 12 digits are enough for both. */
function describeEngineClass({ name, version, device, lowering, threads, fingerprint }: EngineClass): string {
  const built = `${version}, ${device}, ${lowering}, ${threads} thread(s)`;
  return `${name} (${built}, fingerprint ${fingerprint.slice(0, 12)})`;
}

function isSameClass(a: EngineClass, b: EngineClass): boolean {
  return a.fingerprint === b.fingerprint && describeEngineClass(a) === describeEngineClass(b);
}

/**
 * The class that a run is to have: that of most workers, so that one odd machine which was early does not lock the
 * others out; among equally many, the one that was ready first.
 * @param ready - classes of the workers that are ready, in the order in which they became so.
 */
export function decideEngineClass(
  ready: readonly EngineClass[],
): { readonly engine: EngineClass; readonly reason: string } | undefined {
  const groups: { engine: EngineClass; workers: number }[] = [];
  for (const engine of ready) {
    const group = groups.find((known) => isSameClass(known.engine, engine));
    if (group) group.workers++;
    else groups.push({ engine, workers: 1 });
  }
  const most = Math.max(...groups.map(({ workers }) => workers));
  const chosen = groups.find(({ workers }) => workers === most);
  if (!chosen) return undefined;
  const share = `${chosen.workers} of ${ready.length} ready worker(s)`;
  return { engine: chosen.engine, reason: `${share} compute with ${describeEngineClass(chosen.engine)}` };
}

/**
 * Whether a worker computes with the engine class of the run; another one could give other bits.
 * @returns what is wrong with it, or undefined.
 */
export function decideEngine(run: EngineClass, worker: EngineClass, workerId: string): string | undefined {
  if (isSameClass(run, worker)) return undefined;
  return (
    `join: expected engine ${describeEngineClass(run)}, which the run is bound to, ` +
    `got ${describeEngineClass(worker)} from worker ${workerId}; run one kind of machine and one Lockstep version, ` +
    'or set numerics: mixed, which gives up equal bits'
  );
}
