import { spawn } from 'node:child_process';
import { get as getHttp } from 'node:http';
import { get as getHttps } from 'node:https';
import { connect } from 'node:net';
import type { V1Container, V1HTTPGetAction, V1Probe } from '@kubernetes/client-node';
import { foldProbe, type ProbeState, unprobed } from './probe-state.js';

/** The target of a probe. */
export interface ProbeTarget {
  readonly podIp: string;
  readonly container: V1Container;
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Probes repeatedly until stopped, and reports each change of the verdict.
 *
 * @param mostPeriodMs - limit for the period, to shorten tests.
 */
export class Probing {
  #over = false;
  #wake: (() => void) | undefined;
  readonly ended: Promise<void>;

  constructor(
    private readonly probe: V1Probe,
    private readonly target: ProbeTarget,
    private readonly onVerdict: (verdict: 'passed' | 'failed') => void,
    private readonly mostPeriodMs: number,
  ) {
    this.ended = this.#loop();
  }

  stop(): Promise<void> {
    this.#over = true;
    this.#wake?.();
    return this.ended;
  }

  async #loop(): Promise<void> {
    const { initialDelaySeconds = 0, periodSeconds = 10 } = this.probe;
    let state: ProbeState = unprobed;
    await this.#sleep(Math.min(initialDelaySeconds * 1_000, this.mostPeriodMs));
    while (!this.#over) {
      const next = foldProbe(state, await ask(this.probe, this.target), this.probe);
      if (this.#over) return;
      if (next.verdict !== undefined && next.verdict !== state.verdict) this.onVerdict(next.verdict);
      state = next;
      await this.#sleep(Math.min(periodSeconds * 1_000, this.mostPeriodMs));
    }
  }

  #sleep(ms: number): Promise<void> {
    if (this.#over) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function ask(probe: V1Probe, target: ProbeTarget): Promise<boolean> {
  const limitMs = (probe.timeoutSeconds ?? 1) * 1_000;
  if (probe.httpGet) return askHttp(probe.httpGet, target, limitMs);
  if (probe.tcpSocket)
    return askTcp(probe.tcpSocket.host ?? target.podIp, portOf(probe.tcpSocket.port, target), limitMs);
  if (probe.exec) return askExec(probe.exec.command ?? [], target, limitMs);
  return Promise.reject(new Error('probe: expected httpGet, tcpSocket or exec; this node has no others'));
}

/** As a kubelet does: no certificate is checked, and any answer below 400 passes. */
function askHttp({ scheme, host, port, path = '/' }: V1HTTPGetAction, target: ProbeTarget, limitMs: number) {
  const secure = scheme === 'HTTPS';
  const url = `${secure ? 'https' : 'http'}://${host ?? target.podIp}:${portOf(port, target)}${path}`;
  const get = secure ? getHttps : getHttp;
  return new Promise<boolean>((resolve) => {
    const request = get(url, { rejectUnauthorized: false, timeout: limitMs, agent: false }, (response) => {
      response.resume();
      resolve((response.statusCode ?? 500) < 400);
    });
    request.once('timeout', () => request.destroy());
    request.once('error', () => resolve(false));
    request.once('close', () => resolve(false));
  });
}

function askTcp(host: string, port: number, limitMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host);
    const end = (passed: boolean) => {
      socket.destroy();
      resolve(passed);
    };
    socket.setTimeout(limitMs, () => end(false));
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}

function askExec([file = '', ...args]: readonly string[], { env }: ProbeTarget, limitMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(file, args, { env, stdio: 'ignore', timeout: limitMs, killSignal: 'SIGKILL' });
    child.once('error', () => resolve(false));
    child.once('exit', (code) => resolve(code === 0));
  });
}

function portOf(port: number | string, { container }: ProbeTarget): number {
  if (typeof port === 'number') return port;
  return container.ports?.find(({ name }) => name === port)?.containerPort ?? Number(port);
}
