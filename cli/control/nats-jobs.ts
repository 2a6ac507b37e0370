import { jetstream } from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { isEnd } from '../../coordinator/state/events.js';
import { describeAddress, type NatsAddress } from '../../nats/address.js';
import { readEntry } from '../../nats/lease.js';
import { jobBucket, jobNamePattern, operatorJobOf } from '../../nats/names.js';
import type { RegistryEntry } from '../../nats/payloads.js';
import type { Seal } from '../../nats/seal.js';
import { connectionOptions } from '../../nats/sign-in.js';
import { JobError } from '../../job/errors.js';
import { ClusterError } from '../../proto/errors.js';

const limitMs = 5_000;
/** Largest number of registry entries that are read. */
const mostEntries = 10_000;

/**
 * Jobs in the NATS registry, by name; entries that aren't Lockstep's are skipped.
 * @throws ClusterError UNREACHABLE
 */
export async function listJobs(address: NatsAddress): Promise<RegistryEntry[]> {
  const connection = await connect({ ...connectionOptions(address), timeout: limitMs, reconnect: false }).catch(
    (cause: Error) => {
      const message = `NATS: expected to connect to ${describeAddress(address)}, got: ${cause.message}`;
      throw new ClusterError('UNREACHABLE', message, { cause });
    },
  );
  try {
    const entries = await readRegistry(connection, undefined);
    return entries.sort((a, b) => (a.job < b.job ? -1 : 1));
  } finally {
    await connection.close();
  }
}

/**
 * Name in NATS of the job that the user asks for. `wanted` is that name itself, or the NAME or NAMESPACE/NAME of a
 * TrainingJob in the registry.
 * @param seal - only entries that it has signed count; undefined: all.
 * @throws JobError BAD_OPTION when several match.
 */
export async function findJob(connection: NatsConnection, wanted: string, seal: Seal | undefined): Promise<string> {
  // An account may be allowed to ask coordinators, but not to read the registry.
  const entries = await readRegistry(connection, seal).catch(() => []);
  return chooseJob(wanted, entries);
}

/** Decides for `findJob`. */
export function chooseJob(wanted: string, entries: readonly Pick<RegistryEntry, 'job' | 'state'>[]): string {
  const matches = entries.filter(({ job }) => isMeant(job, wanted));
  const active = matches.filter(({ state }) => !isEnd(state));
  const [only, ...others] = active.length > 0 ? active : matches;
  const isExact = entries.some(({ job }) => job === wanted);
  if (isExact || (only === undefined && jobNamePattern.test(wanted))) return wanted;
  if (only === undefined) {
    throw new JobError('BAD_OPTION', `--job: expected a job in ${jobBucket}, got none named ${wanted}`);
  }
  if (others.length === 0) return only.job;
  const names = [only, ...others].map(({ job, state }) => `\n  ${job} (${state})`);
  throw new JobError(
    'BAD_OPTION',
    `--job ${wanted}: expected one job, got ${names.length}; name one of:${names.join('')}`,
  );
}

/** @throws JobError BAD_OPTION */
export function checkWantedJob(wanted: string): string {
  if (/^([a-z0-9-]{1,63}\/)?[A-Za-z0-9_-]{1,160}$/.test(wanted)) return wanted;
  const found = JSON.stringify(wanted.slice(0, 80));
  throw new JobError(
    'BAD_OPTION',
    `--job: expected the name of a job, or NAMESPACE/NAME of a TrainingJob, got ${found}`,
  );
}

function isMeant(job: string, wanted: string): boolean {
  const resource = operatorJobOf(job);
  return resource !== undefined && (wanted === resource.name || wanted === `${resource.namespace}/${resource.name}`);
}

async function readRegistry(connection: NatsConnection, seal: Seal | undefined): Promise<RegistryEntry[]> {
  const bucket = await new Kvm(jetstream(connection, { timeout: limitMs })).open(jobBucket);
  const entries: RegistryEntry[] = [];
  let left = mostEntries;
  for await (const job of await bucket.keys()) {
    if (left-- <= 0) break;
    const stored = await bucket.get(job);
    const entry = stored ? readEntry(job, stored.value, seal) : undefined;
    if (entry) entries.push(entry);
  }
  return entries;
}
