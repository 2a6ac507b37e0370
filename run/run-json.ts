import { z } from 'zod';
import type { EngineInfo } from '../engine/engine.js';
import type { JobManifest } from '../job/manifest.js';
import type { RunDirectory } from './run-directory.js';

/** Everything about a worker that determines the bits it computes; `run.json` has the run's. */
export interface EngineClass extends Omit<EngineInfo, 'threads' | 'target' | 'reason'> {
  /** Undefined for the native engine, whose threads may change and change no bit. */
  readonly threads?: number;
  /** SHA-256 of the outputs of the job's programs on probe inputs, 64 hexadecimal digits. */
  readonly fingerprint: string;
}

/** Engine of a run; binding for every start of the coordinator on that run. */
export interface RunEngine {
  readonly engine: EngineClass;
  /** False once a worker of another class was admitted (`numerics: mixed`). */
  readonly reproducible: boolean;
  /** Instruction sets of the workers so far, with their reasons; empty unless the engine is native. */
  readonly targets: readonly string[];
}

const repeatedSchema = z.looseObject({ steps: z.number(), seconds: z.number() });
const engineSchema = z.looseObject({
  name: z.string(),
  version: z.string(),
  device: z.string(),
  lowering: z.string(),
  threads: z.number().optional(),
  arithmetic: z.int().optional(),
  fingerprint: z.string(),
});
const runRecordSchema = z.looseObject({
  outcome: z.enum(['running', 'finished', 'stopped', 'failed']),
  /** Reason of the failure. */
  failure: z.string().optional(),
  /** Identifies the run across all its starts; runs of older versions get theirs at the next start. */
  runId: z.string().min(1).max(100).optional(),
  /** Starts of the coordinator on this run so far. */
  term: z.int().min(1).default(1),
  /** Updates that were computed again because a start resumed from an older checkpoint. */
  repeated: repeatedSchema.default({ steps: 0, seconds: 0 }),
  engine: engineSchema.optional(),
  reproducible: z.boolean().default(true),
  targets: z.array(z.string()).default([]),
  /** Set when training has ended, like those below. */
  steps: z.int().optional(),
  seconds: z.number().optional(),
  finalDigest: z.string().optional(),
});

/** Content of `run.json` that later starts and `lockstep runs` rely on. */
export type RunRecord = z.infer<typeof runRecordSchema>;

/** Parses `run.json`. @throws SyntaxError or z.ZodError */
export function parseRunRecord(json: string): RunRecord {
  return runRecordSchema.parse(JSON.parse(json));
}

/** Engine that a run is bound to; undefined before its first step. */
export function engineOf({ engine, reproducible, targets }: RunRecord): RunEngine | undefined {
  return engine && engine.fingerprint !== '' ? { engine: classOf(engine), reproducible, targets } : undefined;
}

/** An engine without the fields that it doesn't have. */
function classOf({ threads, arithmetic, ...fields }: z.infer<typeof engineSchema>): EngineClass {
  return {
    ...fields,
    ...(threads === undefined ? {} : { threads }),
    ...(arithmetic === undefined ? {} : { arithmetic }),
  };
}

/** Writer of `run.json`: the engine of a run, the number of its starts, and finally its result. */
export class RunJson {
  #content: Record<string, unknown>;
  #written: Promise<void> = Promise.resolve();

  constructor(
    private readonly directory: RunDirectory,
    manifest: JobManifest,
    record: Omit<Partial<RunRecord>, 'outcome'>,
  ) {
    const { title, synthetic, classes, digest } = manifest.dataset;
    this.#content = {
      outcome: 'running',
      job: manifest.digest,
      dataset: { title, synthetic, classes, digest },
      coordinator: { node: process.version, platform: process.platform, arch: process.arch },
      ...record,
    };
  }

  /** Changes fields. Resolves once they are durable; calls take effect in order. @throws JobError BAD_RUN_DIRECTORY */
  update(fields: object): Promise<void> {
    this.#content = { ...this.#content, ...fields };
    const content = this.#content;
    const write = async () => void (await this.directory.writeJson('run.json', content));
    this.#written = this.#written.then(write, write);
    return this.#written;
  }
}
