import { jetstream } from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import { connect } from '@nats-io/transport-node';
import { describeAddress } from '../coordinator/observe/nats/address.js';
import { jobBucket } from '../coordinator/observe/nats/names.js';
import type { NatsOptions } from '../coordinator/observe/nats/open.js';
import { type RegistryEntry, registryEntrySchema } from '../coordinator/observe/nats/payloads.js';
import { parseJson } from '../coordinator/observe/nats/parse-json.js';
import { signIn } from '../coordinator/observe/nats/sign-in.js';
import { ClusterError } from '../proto/errors.js';

const limitMs = 5_000;

/**
 * The jobs that NATS knows, by name; what is no entry of Lockstep is passed over.
 * @throws ClusterError UNREACHABLE
 */
export async function listJobs({ address, creds }: Omit<NatsOptions, 'job'>): Promise<RegistryEntry[]> {
  const connection = await connect({ ...signIn(address, creds), timeout: limitMs, reconnect: false }).catch(
    (cause: Error) => {
      const message = `NATS: expected to connect to ${describeAddress(address)}, got: ${cause.message}`;
      throw new ClusterError('UNREACHABLE', message, { cause });
    },
  );
  try {
    const bucket = await new Kvm(jetstream(connection, { timeout: limitMs })).open(jobBucket);
    const entries: RegistryEntry[] = [];
    for await (const job of await bucket.keys()) {
      const parsed = registryEntrySchema.safeParse(parseJson((await bucket.get(job))?.string()));
      if (parsed.success) entries.push(parsed.data);
    }
    return entries.sort((a, b) => (a.job < b.job ? -1 : 1));
  } finally {
    await connection.close();
  }
}
