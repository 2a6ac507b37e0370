import type { Logger } from 'pino';
import type { Settings } from '../plan/settings.js';
import type { InformerTimes } from './informer.js';
import type { LeaseTimes } from './lease-decisions.js';

export interface LeaseOptions {
  readonly namespace: string;
  readonly name: string;
  /** One process incarnation, so that a quick restart is not taken for its predecessor. */
  readonly identity: string;
  readonly times: LeaseTimes;
}

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

export interface OperatorOptions {
  /** Namespaces whose jobs are served; undefined: all. */
  readonly namespaces?: readonly string[] | undefined;
  readonly settings: Settings;
  /** Namespace of the Secret with the operator's key. */
  readonly keyNamespace: string;
  /** Absent: this is the only operator, and acts at once. */
  readonly lease?: LeaseOptions | undefined;
  /** Address for probes. */
  readonly health: Endpoint;
  /** Address for metrics; absent: not served. */
  readonly metrics?: Endpoint | undefined;
  /** Jobs that are worked on at once. */
  readonly concurrency: number;
  /** Requests per second to the API server on average, and at once. */
  readonly rate: { readonly perSecond: number; readonly burst: number };
  readonly times?: InformerTimes;
  readonly log: Logger;
}
