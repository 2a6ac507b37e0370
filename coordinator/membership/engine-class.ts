import type { Ready } from '../../proto/messages.js';
import type { EngineClass } from '../../run/run-json.js';

export function engineClassOf(ready: Ready): EngineClass {
  const { engine: name, engineVersion: version, device, lowering, threads, fingerprint } = ready;
  return { name, version, device, lowering, threads, fingerprint };
}

/** Text for people and for comparison; 12 digits of the fingerprint are enough for both. */
function describeEngineClass({ name, version, device, lowering, threads, fingerprint }: EngineClass): string {
  const built = `${version}, ${device}, ${lowering}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`;
  return `${name} (${built}, fingerprint ${fingerprint.slice(0, 12)})`;
}

function isSameClass(a: EngineClass, b: EngineClass): boolean {
  return a.fingerprint === b.fingerprint && describeEngineClass(a) === describeEngineClass(b);
}

/**
 * Chooses the engine class of a run: that of most workers, so that one different machine that joins early doesn't keep
 * the others out; in a tie, the one that was ready first.
 * @param ready - classes of the ready workers, in the order in which they became ready.
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
  const share = `${chosen.workers} of ${ready.length} ready ${ready.length === 1 ? 'worker' : 'workers'}`;
  return { engine: chosen.engine, reason: `${share} compute with ${describeEngineClass(chosen.engine)}` };
}

/**
 * Checks that a worker has the run's engine class; a different one could produce different bits.
 * @returns the mismatch in words, or undefined.
 */
export function decideEngine(run: EngineClass, worker: EngineClass, workerId: string): string | undefined {
  if (isSameClass(run, worker)) return undefined;
  return (
    `join: expected engine ${describeEngineClass(run)}, which the run is bound to, ` +
    `got ${describeEngineClass(worker)} from worker ${workerId}; run one kind of machine and one Lockstep version, ` +
    'or set numerics: mixed, which gives up equal bits'
  );
}
