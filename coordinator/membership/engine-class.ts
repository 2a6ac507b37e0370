import type { JobManifest } from '../../job/manifest.js';
import { ClusterError } from '../../proto/errors.js';
import type { Ready } from '../../proto/messages.js';
import type { EngineClass } from '../../run/run-json.js';

/**
 * The engine class of a worker. With Lockstep's arithmetic, neither threads nor instruction set are part of it, so that
 * different machines belong to one class.
 */
export function engineClassOf(ready: Ready): EngineClass {
  const { engine: name, engineVersion: version, device, lowering, threads, fingerprint, arithmetic } = ready;
  const common = { name, version, device, lowering, fingerprint };
  return arithmetic > 0 ? { ...common, arithmetic } : { ...common, threads };
}

/** Instruction set and its reason, for people; undefined without one. */
export function describeTarget({ target = '', targetReason = '' }: Ready): string | undefined {
  if (target === '') return undefined;
  return targetReason === '' ? target : `${target} (${targetReason})`;
}

/**
 * Checks that a worker has the job's arithmetic.
 * @throws ClusterError OTHER_ENGINE with both versions.
 */
export function checkArithmetic({ arithmetic: found }: Ready, { arithmetic }: JobManifest, workerId: string): void {
  const expected = arithmetic ?? 0;
  if (found === expected) return;
  const describe = (version: number) => (version === 0 ? 'the arithmetic of another library' : `arithmetic ${version}`);
  throw new ClusterError(
    'OTHER_ENGINE',
    `join: expected ${describe(expected)}, which the job is bound to, got ${describe(found)} from worker ${workerId}; ` +
      'install the same Lockstep version on both sides',
  );
}

/** Text for people and for comparison; 12 digits of the fingerprint are enough for both. */
function describeEngineClass(engine: EngineClass): string {
  const { name, version, device, lowering, threads, fingerprint } = engine;
  const counted = threads === undefined ? [] : [`${threads} ${threads === 1 ? 'thread' : 'threads'}`];
  const built = engine.arithmetic === undefined ? [version, device, lowering, ...counted] : [version];
  return `${name} (${[...built, `fingerprint ${fingerprint.slice(0, 12)}`].join(', ')})`;
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
    `got ${describeEngineClass(worker)} from worker ${workerId}; ${remedy(run, worker)}, ` +
    'or set numerics: mixed, which gives up equal bits'
  );
}

function remedy(run: EngineClass, worker: EngineClass): string {
  if (run.arithmetic === undefined || run.arithmetic !== worker.arithmetic) {
    return 'run one kind of machine and one Lockstep version';
  }
  return 'the same arithmetic must give the same bits, so one machine is faulty: start that worker with another --isa';
}
