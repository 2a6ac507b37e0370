import type { Logger } from 'pino';
import type { Settings } from '../plan/settings.js';
import type { InformerTimes } from './informer.js';
import type { LeaseTimes } from './lease-decisions.js';

interface LeaseOptions {
  readonly namespace: string;
  readonly name: string;
  /** Unique per process, so a restart isn't mistaken for its predecessor. */
  readonly identity: string;
  readonly times: LeaseTimes;
}

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

export interface OperatorOptions {
  /** Managed namespaces; undefined: all. */
  readonly namespaces?: readonly string[] | undefined;
  readonly settings: Settings;
  /** Namespace of the Secret with the operator's key. */
  readonly keyNamespace: string;
  /** Absent: no leader election. */
  readonly lease?: LeaseOptions | undefined;
  /** Address for probes. */
  readonly health: Endpoint;
  /** Address for metrics; absent: no metrics. */
  readonly metrics?: Endpoint | undefined;
  /** Jobs reconciled concurrently. */
  readonly concurrency: number;
  /** Average and burst of requests to the API server. */
  readonly rate: { readonly perSecond: number; readonly burst: number };
  readonly times?: InformerTimes;
  readonly log: Logger;
}
