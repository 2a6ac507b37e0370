import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { V1Container, V1Pod, V1PodStatus } from '@kubernetes/client-node';
import { commandOf, type LocalImage } from './container-command.js';
import { ContainerRunner, ImagePullError } from './container-runner.js';
import type { Backoff, RestartPolicy } from './container-state.js';
import { type PodRecord, podStatus } from './pod-status.js';
import { materialise, mountsOf, removeVolumes, type VolumeSources } from './volumes.js';

/** Faults that a test injects into a pod; asked at each start of a container. */
export interface PodFaults {
  /** Its image cannot be pulled. */
  readonly image?: string | undefined;
  /** Its process cannot be started. */
  readonly start?: string | undefined;
}

export interface PodHost {
  readonly hostIp: string;
  readonly backoff: Backoff;
  readonly mostProbePeriodMs: number;
  readonly image: (name: string) => LocalImage | undefined;
  /** Variables that every process gets. @param root - folder of the pod. */
  readonly env: (pod: V1Pod, root: string, folders: ReadonlyMap<string, string>) => Record<string, string>;
  readonly sources: (pod: V1Pod, podIp: string) => VolumeSources;
  readonly faults: (pod: V1Pod) => PodFaults;
  /** Called whenever the status may have changed. */
  readonly onChange: (runner: PodRunner) => void;
}

/** One pod as processes: its init containers one after the other, then its containers, until it is stopped. */
export class PodRunner {
  readonly #init: ContainerRunner[];
  readonly #containers: ContainerRunner[];
  readonly #startedAtMs = Date.now();
  #volumes: Promise<Map<string, string>> | undefined;
  #closing = false;
  /** Resolves when no container will run any more. */
  readonly ended: Promise<void>;

  /**
   * @param pod - as of its binding; its object may be newer.
   * @param root - folder for its volumes and logs, removed by `remove`.
   */
  constructor(
    readonly pod: V1Pod,
    readonly podIp: string,
    readonly root: string,
    private readonly host: PodHost,
  ) {
    mkdirSync(root, { recursive: true });
    const policy = (pod.spec?.restartPolicy ?? 'Always') as RestartPolicy;
    const onceAtLeast = policy === 'Never' ? 'Never' : 'OnFailure';
    this.#init = (pod.spec?.initContainers ?? []).map((container) => this.#runner(container, onceAtLeast));
    this.#containers = (pod.spec?.containers ?? []).map((container) => this.#runner(container, policy));
    this.ended = this.#run();
  }

  /** True while it is being ended. */
  get stopping(): boolean {
    return this.#closing;
  }

  get pids(): number[] {
    return [...this.#init, ...this.#containers].flatMap(({ pid }) => pid ?? []);
  }

  get startedAtMs(): number | undefined {
    const times = this.#containers.flatMap(({ record: { state } }) =>
      state.type === 'running' ? state.startedAtMs : [],
    );
    return times.length === 0 ? undefined : Math.max(...times);
  }

  /** @param pod - its current object, whose conditions from others are kept. */
  status(pod: V1Pod): V1PodStatus {
    const record: PodRecord = {
      init: this.#init.map(({ record }) => record),
      containers: this.#containers.map(({ record }) => record),
      podIp: this.podIp,
      hostIp: this.host.hostIp,
      startedAtMs: this.#startedAtMs,
      closing: this.#closing,
    };
    return podStatus(pod, record, Date.now());
  }

  async stop(graceMs: number): Promise<void> {
    this.#closing = true;
    await Promise.all([...this.#init, ...this.#containers].map((runner) => runner.stop(graceMs)));
    await this.ended;
  }

  async cut(): Promise<void> {
    this.#closing = true;
    await Promise.all([...this.#init, ...this.#containers].map((runner) => runner.cut()));
    await this.ended;
  }

  /** Removes its folder, with the contents of its own volumes. */
  remove(): Promise<void> {
    return removeVolumes(this.root);
  }

  logFile(container: string): string {
    return join(this.root, `${container}.log`);
  }

  #lastWordFile(container: string): string {
    return join(this.root, `${container}.last-word`);
  }

  async #run(): Promise<void> {
    for (const runner of this.#init) {
      const ended = await runner.run();
      if (this.#closing || ended?.exitCode !== 0) return this.host.onChange(this);
    }
    await Promise.all(this.#containers.map((runner) => runner.run()));
    this.host.onChange(this);
  }

  #runner(container: V1Container, policy: RestartPolicy): ContainerRunner {
    return new ContainerRunner({
      container,
      policy,
      backoff: this.host.backoff,
      podIp: this.podIp,
      logFile: this.logFile(container.name),
      lastWordFile: this.#lastWordFile(container.name),
      graceMs: (this.pod.spec?.terminationGracePeriodSeconds ?? 30) * 1_000,
      mostProbePeriodMs: this.host.mostProbePeriodMs,
      startFault: () => this.host.faults(this.pod).start,
      command: () => this.#command(container),
      onChange: () => this.host.onChange(this),
    });
  }

  async #command(container: V1Container) {
    const fault = this.host.faults(this.pod).image;
    if (fault !== undefined) throw new ImagePullError(fault);
    const image = this.host.image(container.image ?? '');
    if (!image) throw new ImagePullError(`Back-off pulling image "${container.image}": not found`);
    const sources = this.host.sources(this.pod, this.podIp);
    const volumes = await this.#allVolumes(sources);
    const folders = await mountsOf(container, volumes);
    folders.set(container.terminationMessagePath ?? '/dev/termination-log', this.#lastWordFile(container.name));
    const [configMap, secret] = await readReferences(container, sources);
    const { podIp } = this;
    const { hostIp } = this.host;
    const command = commandOf(this.pod, container, { image, folders, podIp, hostIp, configMap, secret });
    const own = this.host.env(this.pod, this.root, folders);
    const nodeOptions = [own['NODE_OPTIONS'], command.env['NODE_OPTIONS']].filter(Boolean).join(' ');
    return { workingDirectory: this.root, ...command, env: { ...own, ...command.env, NODE_OPTIONS: nodeOptions } };
  }

  /** Made once for all containers; missing ones are looked up again. */
  #allVolumes(sources: VolumeSources): Promise<Map<string, string>> {
    this.#volumes ??= materialise(this.pod, this.root, sources).catch((error: unknown) => {
      this.#volumes = undefined;
      throw error;
    });
    return this.#volumes;
  }
}

type Data = Readonly<Record<string, string>> | undefined;

/** The ConfigMaps and Secrets from which a container's variables are taken. */
async function readReferences({ env = [], envFrom = [] }: V1Container, sources: VolumeSources) {
  const readAll = async (names: readonly (string | undefined)[], read: (name: string) => Promise<Data>) => {
    const wanted = [...new Set(names.filter((name) => name !== undefined))];
    return new Map(await Promise.all(wanted.map(async (name) => [name, await read(name)] as const)));
  };
  const configMaps = await readAll(
    [
      ...env.map(({ valueFrom }) => valueFrom?.configMapKeyRef?.name),
      ...envFrom.map((from) => from.configMapRef?.name),
    ],
    sources.configMap,
  );
  const secrets = await readAll(
    [...env.map(({ valueFrom }) => valueFrom?.secretKeyRef?.name), ...envFrom.map((from) => from.secretRef?.name)],
    sources.secret,
  );
  return [(name: string) => configMaps.get(name), (name: string) => secrets.get(name)] as const;
}
