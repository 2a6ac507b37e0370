/**
 * The messages of `lockstep/v1/*.proto` as TypeScript sees them; the .proto files say what each field means.
 * A oneof arrives as its set field plus `message`, the field's name.
 */

export interface Hello {
  protocolVersion: number;
  workerId: string;
  host: string;
  pid: number;
  runtime: string;
  beatKey: Uint8Array;
}
export interface Welcome {
  jobJson: string;
  term: number;
  heartbeatMs: number;
}
export interface Ready {
  engine: string;
  engineVersion: string;
  device: string;
  lowering: string;
  threads: number;
  compileMs: number;
  fingerprint: string;
  wideCores: number;
  placement?: string;
}
export type WorkerPhase = 'idle' | 'receiving' | 'computing' | 'sending';
export interface Heartbeat {
  phase: string;
  residentBytes: number;
  sentMs?: number;
  wideCores?: number;
  workerId?: string;
  beatKey?: Uint8Array;
}
export interface Alive {
  sentMs: number;
  joined: boolean;
}
export interface Assignment {
  generation: number;
  shards: number[];
  evaluationBatches: number[];
}
export interface Holding {
  shards: number[];
}
export interface Node {
  first: number;
  count: number;
}
export interface Compute {
  term: number;
  step: number;
  generation: number;
  nodes: Node[];
  wide: number;
  sentMs?: number;
}
export interface Evaluate {
  term: number;
  step: number;
  batches: number[];
}
export interface Parameters {
  term: number;
  step: number;
  evaluation: boolean;
  chunk: number;
  chunks: number;
  data: Uint8Array;
  crc: number | undefined;
}
export interface ShardReport {
  shard: number;
  samples: number;
  lossSum: number;
  correct: number;
  statistics: Uint8Array;
  computeMs: number;
}
export interface Partial {
  term: number;
  step: number;
  node: Node;
  chunk: number;
  chunks: number;
  data: Uint8Array;
  reports: ShardReport[];
  crc: number | undefined;
  stamps?: Stamps | null;
}
export interface Stamps {
  orderSentMs: number;
  orderReceivedMs: number;
  parametersBeginMs: number;
  parametersEndMs: number;
  shards: ShardSpan[];
  sendBeginMs: number;
  sendEndMs: number;
}
export interface ShardSpan {
  shard: number;
  beginMs: number;
  endMs: number;
}
export interface EvaluationRows {
  term: number;
  step: number;
  batch: number;
  data: Uint8Array;
  crc: number;
}
export interface Failure {
  code: string;
  message: string;
}
export interface Leaving {
  reason: string;
}
export interface Finish {
  reason: string;
}

export interface FromWorkerFields {
  hello: Hello;
  ready: Ready;
  heartbeat: Heartbeat;
  holding: Holding;
  partial: Partial;
  rows: EvaluationRows;
  failure: Failure;
  leaving: Leaving;
}
export interface ToWorkerFields {
  welcome: Welcome;
  assignment: Assignment;
  compute: Compute;
  evaluate: Evaluate;
  parameters: Parameters;
  finish: Finish;
}

/** What is written to a stream: exactly one field. */
export type OneOf<Fields> = { [Key in keyof Fields]: Record<Key, Fields[Key]> }[keyof Fields];
/** What is read from a stream: `message` names the field that is set. */
export type Received<Fields> = { [Key in keyof Fields]: { message: Key } & Record<Key, Fields[Key]> }[keyof Fields];

export type FromWorker = OneOf<FromWorkerFields>;
export type ToWorker = OneOf<ToWorkerFields>;
export type ReceivedFromWorker = Received<FromWorkerFields>;
export type ReceivedToWorker = Received<ToWorkerFields>;

export interface FetchRequest {
  digest: string;
}
export interface DataChunk {
  totalBytes: number;
  data: Uint8Array;
}

export interface ControlReply {
  step: number;
  state: string;
  message: string;
}

export interface WorkerStatus {
  workerId: string;
  state: string;
  shards: number[];
  engine: string;
  silentMs: number;
  residentBytes: number;
  holding: number[];
  stepMs: number;
  sentBytes: number;
  receivedBytes: number;
}
export interface StatusReply {
  job: string;
  state: string;
  reason: string;
  step: number;
  totalSteps: number;
  epoch: number;
  epochs: number;
  loss: number;
  imagesPerSecond: number;
  testAccuracy: number;
  generation: number;
  term: number;
  workers: WorkerStatus[];
  audited: number;
  speculated: number;
  faults: number;
  skipped: number;
  learningRate: number;
  lossMean: number;
  secondsLeft: number;
  samplesTrained: number;
  testLoss: number;
  testEpoch: number;
  digest: string;
  digestEpoch: number;
  checkpointStep: number;
  runDirectory: string;
  model: string;
  dataset: string;
  synthetic: boolean;
  waitingFor: WaitingFor[];
  fingerprint: string;
  device: string;
}
export interface WaitingFor {
  workerId: string;
  phase: string;
  shards: number[];
}

export interface HistoryRequest {
  points: number;
}
export interface EvaluationPoint {
  epoch: number;
  step: number;
  loss: number;
  accuracy: number;
}
export interface Note {
  timeMs: number;
  text: string;
}
export interface HistoryReply {
  steps: number[];
  losses: number[];
  evaluations: EvaluationPoint[];
  notes: Note[];
}
