import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { parseSteps } from '../../../run/record-format.js';
import { main, scratchDirectory } from '../../e2e/lockstep.js';
import { readDigests } from '../../faults/run-record.js';
import { until } from '../../until.js';
import { machine, quantile } from '../stats.mjs';

/**
 * Training over bad networks, with TLS and a token: sudo npm run bench:network -- [--only NAME,...] [--rounds N]
 *
 * A coordinator and two workers run in separate network namespaces, connected by a network in user space (`tun.py`).
 * Needs root, iproute2 and Python 3. Prints for each network: the duration of steps (with a limited rate also as a
 * multiple of their vectors' time on the wire), the time from the end of a partition to the next step, the number of
 * lost workers, and a comparison of the digests with those of a run on one machine.
 */
interface Network {
  readonly rate?: number;
  readonly delay?: number;
  readonly loss?: number;
  readonly cut?: readonly number[];
  /** Seconds for which the coordinator is cut off. */
  readonly partition?: number;
}

const networks: Readonly<Record<string, Network>> = {
  quiet: {},
  'rtt-300ms': { delay: 0.15 },
  'loss-5%': { loss: 0.05, delay: 0.001 },
  '2Mbit': { rate: 2e6 },
  '1Mbit': { rate: 1e6 },
  'partition-20s': { partition: 20 },
  'partition-60s': { partition: 60 },
  'partition-300s': { partition: 300 },
};
const job = [
  ...['--preset', 'cluster-cnn3', '--shards', '2', '--batch-per-shard', '5', '--epochs', '1'],
  ...['--set', 'data.dataset=synthetic', '--set', 'data.limit=20', '--set', 'evaluation.everyEpochs=0'],
];
const hosts = ['lsbench0', 'lsbench1', 'lsbench2'];
const address = '10.97.0.1:50061';
const stepLimitMs = 120_000;

class Bench {
  readonly scratch = scratchDirectory();
  readonly #started = new Set<ChildProcess>();
  #tun!: ChildProcess;

  async open(): Promise<void> {
    for (const host of hosts) execFileSync('ip', ['netns', 'add', host]);
    this.#tun = this.#start('python3', [fileURLToPath(new URL('tun.py', import.meta.url)), ...hosts], 'pipe');
    await once(this.#tun.stdout!, 'data');
    const { path } = this.scratch;
    execFileSync(process.execPath, [main, 'certs', '--out', join(path, 'certs'), '--host', '10.97.0.1']);
    writeFileSync(join(path, 'certs', 'token.txt'), `${'5eed'.repeat(12)}\n`, { mode: 0o600 });
    await once(
      this.#start(process.execPath, [main, 'train', ...job, '--workers', '1', '--no-http', ...this.#run('alone')]),
      'exit',
    );
  }

  set(network: Network): void {
    this.#tun.stdin!.write(`${JSON.stringify(network)}\n`);
  }

  async measure(name: string, round: number): Promise<string> {
    const { partition, ...network } = networks[name]!;
    const run = `${name}-${round}`;
    this.set(network);
    const flags = ['--listen', address, '--min-workers', '2', '--log-level', 'silent'];
    const coordinator = this.#in(0, [
      'coordinator',
      ...job,
      ...flags,
      ...this.#run(run),
      ...this.#security('coordinator'),
    ]);
    const workers = [1, 2].map((host) =>
      this.#in(host, ['worker', '--coordinator', address, '--log-level', 'error', ...this.#security('worker')]),
    );
    const ended = once(coordinator, 'exit');
    const recovery = partition === undefined ? '' : await this.#recover(run, network, partition);
    await ended;
    await Promise.all(workers.map((worker) => this.#ended(worker)));
    return `| ${name} | ${this.#describe(run, network.rate)} | ${recovery} |`;
  }

  close(): void {
    for (const child of this.#started) child.kill('SIGKILL');
    for (const host of hosts) execFileSync('ip', ['netns', 'del', host]);
    this.scratch.remove();
  }

  async #recover(run: string, network: Network, seconds: number): Promise<string> {
    await until(() => this.#steps(run).length >= 3, stepLimitMs, 'three steps');
    this.set({ ...network, cut: [0] });
    await sleep(seconds * 1_000);
    const before = this.#steps(run).length;
    this.set(network);
    const beginMs = performance.now();
    await until(() => this.#steps(run).length > before, stepLimitMs, 'a step');
    return ((performance.now() - beginMs) / 1_000).toFixed(1);
  }

  #describe(run: string, rate: number | undefined): string {
    const { path } = this.scratch;
    // The first steps also wait for the workers' data.
    const steps = this.#steps(run).slice(2);
    const median = quantile(
      steps.map(({ durationMs }) => durationMs),
      0.5,
    );
    const { parameterCount } = JSON.parse(readFileSync(join(path, run, 'job.json'), 'utf8')) as {
      parameterCount: number;
    };
    // Parameters to both workers over one wire, then a gradient from each over its own.
    const ratio = rate === undefined ? '' : (median / ((3 * parameterCount * 32_000) / rate)).toFixed(2);
    const lost = readFileSync(join(path, run, 'log.jsonl'), 'utf8').split('"change":"lost"').length - 1;
    const same = JSON.stringify(readDigests(join(path, run))) === JSON.stringify(readDigests(join(path, 'alone')));
    return `${steps.length} | ${Math.round(median)} | ${ratio} | ${lost} | ${same ? 'same' : 'OTHER'}`;
  }

  #steps(run: string) {
    try {
      return parseSteps(readFileSync(join(this.scratch.path, run, 'steps.csv'), 'utf8'));
    } catch {
      return [];
    }
  }

  #run(name: string): string[] {
    return ['--run', join(this.scratch.path, name)];
  }

  #security(who: string): string[] {
    const file = (name: string) => join(this.scratch.path, 'certs', name);
    return [
      ...['--tls-cert', file(`${who}.crt`), '--tls-key', file(`${who}.key`)],
      ...['--tls-ca', file('ca.crt'), '--token-file', file('token.txt')],
    ];
  }

  #in(host: number, args: readonly string[]): ChildProcess {
    return this.#start('ip', ['netns', 'exec', hosts[host]!, process.execPath, main, ...args]);
  }

  async #ended(child: ChildProcess): Promise<void> {
    if (child.exitCode === null) await once(child, 'exit');
  }

  #start(command: string, args: readonly string[], stdio: 'ignore' | 'pipe' = 'ignore'): ChildProcess {
    const child = spawn(command, args, { stdio: [stdio, stdio, 'inherit'] });
    this.#started.add(child.once('exit', () => this.#started.delete(child)));
    return child;
  }
}

const { values } = parseArgs({ options: { only: { type: 'string' }, rounds: { type: 'string', default: '1' } } });
const bench = new Bench();
try {
  await bench.open();
  console.log(`${machine()}; cluster-cnn3, 2 workers, TLS and token, heartbeat limit 2 s\n`);
  console.log('| Network | n | step, median (ms) | of the wire time | lost | digest | next step after (s) |');
  console.log('| --- | --: | --: | --: | --: | --- | --: |');
  for (const name of values.only?.split(',') ?? Object.keys(networks)) {
    for (let round = 0; round < Number(values.rounds); round++) console.log(await bench.measure(name, round));
  }
} finally {
  bench.close();
}
