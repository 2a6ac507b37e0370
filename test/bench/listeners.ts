import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { callMetadata } from '../../transport/auth.js';
import { makeCertificates } from '../../transport/certificates.js';
import { channelOptions, Control } from '../../transport/services.js';
import { channelSecurity } from '../../transport/tls.js';
import { Command, freePort, scratchDirectory } from '../e2e/lockstep.js';
import { machine, median, quantile } from './stats.mjs';

/**
 * Training while every port of the coordinator is attacked: npm run bench:listeners -- [--plain] [--rounds N]
 * [--seconds N] [--per-second N] [--epochs N] [--model NAME] [--data]
 *
 * A coordinator and two workers train one job twice: undisturbed for its digest, then in turns undisturbed, attacked,
 * and with the same attackers at a port of this program, which shows the cost of their processor time alone. Each port
 * is attacked by two processes, one from a single address and one from 250, each with that many connections per second.
 */
const { values } = parseArgs({
  options: {
    plain: { type: 'boolean', default: false },
    data: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '10' },
    'per-second': { type: 'string', default: '100' },
    epochs: { type: 'string', default: '40' },
    model: { type: 'string', default: 'cnn3' },
  },
});
const attacker = fileURLToPath(new URL('listeners-attacker.mjs', import.meta.url));
const perPort = 10_000;
const token = 'a'.repeat(64);
const kinds = {
  http: ['half-open', 'slow-headers', 'malformed', 'oversized', 'silent'],
  grpc: [
    ...['half-open', 'silent', 'slow-frame', 'malformed', 'oversized', 'streams', 'reset', 'ping', 'settings'],
    ...['continuation', 'huge-headers'],
  ],
};
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

interface Ports {
  readonly grpc: number;
  readonly http: number;
  readonly health: number;
}

class Cluster {
  readonly coordinator: Command;
  readonly workers: Command[];
  readonly #control;

  private constructor(
    readonly ports: Ports,
    directory: string,
    access: Record<'coordinator' | 'worker', string[]>,
    security: ReturnType<typeof channelSecurity>,
  ) {
    const job = [
      '--preset',
      'cluster-cnn3',
      '--model',
      values.model,
      '--epochs',
      values.epochs,
      '--set',
      'data.limit=3920',
    ];
    const data = values.data ? [] : ['--set', 'data.dataset=synthetic'];
    const { grpc, http, health } = ports;
    const listen = ['--listen', `127.0.0.1:${grpc}`, '--http', String(http), '--health', String(health)];
    const flags = ['--min-workers', '2', '--log-level', 'silent', '--set', 'evaluation.everyEpochs=0'];
    const run = ['--run', directory];
    this.coordinator = new Command([
      'coordinator',
      ...job,
      ...data,
      ...listen,
      ...flags,
      ...run,
      ...access.coordinator,
    ]);
    const worker = ['worker', '--coordinator', `127.0.0.1:${grpc}`, ...access.worker];
    this.workers = [new Command(worker), new Command(worker)];
    this.#control = new Control(`127.0.0.1:${grpc}`, security.credentials, { ...channelOptions, ...security.options });
  }

  static async start(scratch: string, name: string): Promise<Cluster> {
    const ports = { grpc: await freePort(), http: await freePort(), health: await freePort() };
    const { ca, coordinator, worker } = await makeCertificates({ hosts: ['127.0.0.1'], days: 1, nowMs: Date.now() });
    const write = (file: string, text: string) => {
      writeFileSync(join(scratch, file), text, { mode: 0o600 });
      return join(scratch, file);
    };
    const tokenFlag = ['--token-file', write('token', token)];
    const tls = (side: string, { cert, key }: { cert: string; key: string }) => [
      ...['--tls-ca', write('ca.crt', ca), '--tls-cert', write(`${side}.crt`, cert)],
      ...['--tls-key', write(`${side}.key`, key)],
    ];
    const access = values.plain
      ? { coordinator: tokenFlag, worker: tokenFlag }
      : {
          coordinator: [...tokenFlag, ...tls('coordinator', coordinator)],
          worker: [...tokenFlag, ...tls('worker', worker)],
        };
    const identity = values.plain ? undefined : { ca, ...worker };
    const security = channelSecurity(identity, `127.0.0.1:${ports.grpc}`);
    return new Cluster(ports, join(scratch, name), access, security);
  }

  /** Steps done; undefined once the run is over. */
  async steps(): Promise<number | undefined> {
    return new Promise((resolve) => {
      const deadline = Date.now() + 10_000;
      this.#control.Status({}, callMetadata(token), { deadline }, (error, reply) =>
        resolve(error ? undefined : reply!.step),
      );
    });
  }

  residentMiB(): number {
    const status = readFileSync(`/proc/${this.coordinator.process.pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)![1]) / 1024;
  }

  /** @returns the final digest. */
  async finish(): Promise<string> {
    const { stdout, stderr, code } = await this.coordinator.ended;
    const digest = /Final digest: ([0-9a-f]{64})/.exec(stdout)?.[1];
    if (code !== 0 || digest === undefined) throw new Error(`expected a digest, got exit code ${code}: ${stderr}`);
    await Promise.all(this.workers.map((worker) => worker.ended));
    return digest;
  }

  async close(): Promise<void> {
    this.#control.close();
    await Promise.all([this.coordinator, ...this.workers].map((command) => command.kill()));
  }
}

/**
 * Attacks each port, from one address and from many. @returns a function that stops the attack and returns counts and
 * processor share.
 */
async function attack(ports: Readonly<Record<string, number>>) {
  const targets = Object.entries(ports).flatMap(([name, port]) =>
    [1, 250].map((addresses) => ({
      ...{ port, addresses, count: perPort / 2, perSecond: Number(values['per-second']) },
      kinds: name === 'grpc' || name.startsWith('dummy') ? kinds.grpc : kinds.http,
      tls: !values.plain && name !== 'health' && !name.startsWith('dummy'),
    })),
  );
  const children = targets.map((target) =>
    spawn(process.execPath, [attacker, JSON.stringify(target)], { stdio: ['pipe', 'pipe', 'inherit'] }),
  );
  await Promise.all(children.map((child) => once(child.stdout, 'data')));
  return async () => {
    const outcomes = children.map(async (child) => {
      const said = once(child.stdout, 'data');
      child.stdin.end();
      const [line] = (await said) as [Buffer];
      await once(child, 'close');
      return JSON.parse(line.toString()) as { opened: number; cpu: number };
    });
    const all = await Promise.all(outcomes);
    return {
      opened: all.reduce((sum, { opened }) => sum + opened, 0),
      cpu: all.reduce((sum, { cpu }) => sum + cpu, 0),
    };
  };
}

interface Figures {
  readonly stepMs: number[];
  readonly healthMs: number[];
  readonly cpu: number[];
  opened: number;
  failed: number;
  maxMiB: number;
}
const figures = (): Figures => ({ stepMs: [], healthMs: [], cpu: [], opened: 0, failed: 0, maxMiB: 0 });

/** Watches the run for one turn. @returns false once the run is over. */
async function watch(cluster: Cluster, into: Figures): Promise<boolean> {
  const beginMs = performance.now();
  const begin = await cluster.steps();
  while (performance.now() - beginMs < Number(values.seconds) * 1000) {
    const askedMs = performance.now();
    const signal = AbortSignal.timeout(3_000);
    const answer = await fetch(`http://127.0.0.1:${cluster.ports.health}/healthz`, { signal }).catch(() => undefined);
    if (cluster.coordinator.process.exitCode !== null) return false;
    if (answer?.status === 200) into.healthMs.push(performance.now() - askedMs);
    else into.failed++;
    into.maxMiB = Math.max(into.maxMiB, cluster.residentMiB());
    await pause(250);
  }
  const end = await cluster.steps();
  if (begin === undefined || end === undefined) return false;
  into.stepMs.push((performance.now() - beginMs) / (end - begin));
  return true;
}

function row(name: string, { stepMs, healthMs, cpu, opened, failed, maxMiB }: Figures): string {
  const health = `${median(healthMs).toFixed(0)} / ${quantile(healthMs, 1).toFixed(0)}, ${failed} failed`;
  const share = cpu.length > 0 ? median(cpu).toFixed(2) : '0';
  return `| ${name} | ${median(stepMs).toFixed(1)} | ${health} | ${maxMiB.toFixed(0)} | ${opened} | ${share} |`;
}

const scratch = scratchDirectory();
const dummy = createServer((socket) => {
  socket.on('error', () => undefined).resume();
  setTimeout(() => socket.destroy(), 5_000).unref();
});
await new Promise<void>((resolve) => dummy.listen(0, '127.0.0.1', resolve));
const { port: dummyPort } = dummy.address() as { port: number };

console.log(`${machine()}; ${values.plain ? 'plain' : 'TLS'}, ${values['per-second']} connections/s per attacker\n`);
const alone = await Cluster.start(scratch.path, 'alone');
const expected = await alone.finish().finally(() => alone.close());

const cluster = await Cluster.start(scratch.path, 'attacked');
const [quiet, attacked, beside] = [figures(), figures(), figures()];
try {
  while ((await cluster.steps()) === undefined || (await cluster.steps())! < 20) await pause(200);
  for (let round = 0; round < Number(values.rounds); round++) {
    if (!(await watch(cluster, quiet))) break;
    for (const [into, target] of [
      [attacked, { ...cluster.ports }],
      [beside, { dummy: dummyPort, dummy2: dummyPort, dummy3: dummyPort }],
    ] as const) {
      const end = await attack(target);
      const isRunning = await watch(cluster, into);
      const { opened, cpu } = await end();
      into.opened += opened;
      into.cpu.push(cpu);
      if (!isRunning) break;
    }
  }
  const digest = await cluster.finish();
  console.log('| | step (ms) | health, median / worst (ms) | coordinator (MiB) | connections | attackers (cores) |');
  console.log('| --- | --: | --: | --: | --: | --: |');
  console.log(row('left alone', quiet));
  console.log(row('every port attacked', attacked));
  console.log(row('attackers elsewhere', beside));
  const ratio = (of: Figures) => (median(of.stepMs) / median(quiet.stepMs)).toFixed(2);
  console.log(`\nstep time over left alone: attacked ${ratio(attacked)}, attackers elsewhere ${ratio(beside)}`);
  console.log(`digest ${digest === expected ? 'equal' : 'DIFFERENT'}: ${digest}`);
  if (digest !== expected) process.exitCode = 1;
} finally {
  await cluster.close();
  dummy.close();
  scratch.remove();
}
process.exit();
