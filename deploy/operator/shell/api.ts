import { request as requestHttp, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as requestHttps } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KubernetesObject } from '@kubernetes/client-node';
import { timerMs } from '../../../proto/clock.js';
import { answerError, ApiError, hasCode, noAnswer } from './api-error.js';
import type { Connector } from './connection.js';
import { fieldManager } from './field-manager.js';
import { RateLimit } from './rate-limit.js';

export type Verb = 'get' | 'list' | 'watch' | 'create' | 'apply' | 'patch' | 'update' | 'delete';

export interface ApiRequest {
  readonly verb: Verb;
  /** Plural of the kind, with "/status" where the subresource is meant; for errors and metrics. */
  readonly resource: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly body?: object;
  readonly accept?: string;
  readonly signal?: AbortSignal | undefined;
}

/** Told of each request that ended. @param code - HTTP status; 0 where no answer came. */
export type CallListener = (verb: Verb, resource: string, code: number) => void;

const methods = {
  get: 'GET',
  list: 'GET',
  watch: 'GET',
  create: 'POST',
  apply: 'PATCH',
  patch: 'PATCH',
  update: 'PUT',
  delete: 'DELETE',
} as const satisfies Record<Verb, string>;
/** JSON is YAML. */
const contentTypes: Partial<Record<Verb, string>> = {
  apply: 'application/apply-patch+yaml',
  patch: 'application/merge-patch+json',
};
/** Time for an answer; admission webhooks, which a write waits for, have 10 s. */
const limitMs = 15_000;
const staleConnection = 'StaleConnection';
/** The server tells slow clients apart from dead ones by it; a cut connection shows after three probes. */
const keepAliveMs = 30_000;

/**
 * The API server, in plain JSON. The typed client of `@kubernetes/client-node` makes a TLS connection per request,
 * dates out of strings in lists but not in watches, and has no metadata-only lists; what the operator needs of it is
 * the kubeconfig, and its types.
 */
export class Api {
  readonly #limit: RateLimit;

  /** @param rate - requests per second on average, and at once; watches and leases are not counted. */
  constructor(
    private readonly connector: Connector,
    private readonly onCall: CallListener = () => undefined,
    rate: { readonly perSecond: number; readonly burst: number } = { perSecond: 50, burst: 100 },
  ) {
    this.#limit = new RateLimit(rate.perSecond, rate.burst);
  }

  /** @throws ApiError */
  async call<Reply = KubernetesObject>(request: ApiRequest): Promise<Reply> {
    if (!request.resource.startsWith('leases')) await this.#wait(request.signal);
    const limit = AbortSignal.timeout(limitMs);
    const signal = request.signal ? AbortSignal.any([request.signal, limit]) : limit;
    try {
      const response = await this.#open(request, signal);
      return JSON.parse(await this.#text(request, response)) as Reply;
    } catch (error) {
      // Where one connection has gone silent, those that nobody uses at the moment may have as well.
      if (limit.aborted) this.connector.dropIdle();
      throw error;
    }
  }

  /**
   * Opens a stream of objects, one JSON text per line.
   * @param onBytes - told whenever the server shows that it is there.
   * @throws ApiError also where the stream breaks.
   */
  async *stream(request: ApiRequest & { signal: AbortSignal }, onBytes: () => void): AsyncGenerator<string> {
    const response = await this.#open(request, request.signal);
    response.socket.setKeepAlive(true, keepAliveMs);
    onBytes();
    yield* this.#lines(request, response, onBytes);
  }

  async *#lines(request: ApiRequest, response: IncomingMessage, onBytes: () => void): AsyncGenerator<string> {
    let rest = '';
    try {
      for await (const chunk of response.setEncoding('utf8')) {
        onBytes();
        const lines = (rest + (chunk as string)).split('\n');
        rest = lines.pop()!;
        for (const line of lines) if (line !== '') yield line;
      }
    } catch (cause) {
      throw cause instanceof ApiError ? cause : noAnswer(operationOf(request), 'the API server', cause);
    } finally {
      response.destroy();
    }
  }

  async #wait(signal: AbortSignal | undefined): Promise<void> {
    const waitMs = this.#limit.take(performance.now());
    if (waitMs > 0) await sleep(timerMs(waitMs), undefined, signal ? { signal } : {});
    signal?.throwIfAborted();
  }

  /** The response of a request whose status is 2xx. */
  async #open(request: ApiRequest, signal: AbortSignal): Promise<IncomingMessage> {
    const response = await this.#sendAgain(request, signal).catch((error: unknown) => {
      this.onCall(request.verb, request.resource, 0);
      throw error;
    });
    const code = response.statusCode ?? 0;
    this.onCall(request.verb, request.resource, code);
    if (code >= 200 && code < 300) return response;
    const retryAfter = response.headers['retry-after'];
    const error = answerError(operationOf(request), code, await this.#text(request, response), retryAfter);
    if (hasCode(error, 401)) this.connector.forget();
    if (hasCode(error, 429)) this.#limit.holdUntil(performance.now() + (error.retryAfterMs ?? 1000));
    throw error;
  }

  /** A kept connection may have been closed by the server just as it was used again. */
  async #sendAgain(request: ApiRequest, signal: AbortSignal): Promise<IncomingMessage> {
    try {
      return await this.#send(request, signal);
    } catch (error) {
      if (error instanceof ApiError && error.reason === staleConnection) return await this.#send(request, signal);
      throw error;
    }
  }

  async #send(request: ApiRequest, signal: AbortSignal): Promise<IncomingMessage> {
    const { server, agent, headers } = await this.connector.get();
    const url = new URL(server.pathname.replace(/\/$/, '') + request.path, server);
    for (const [name, value] of Object.entries(request.query ?? {})) {
      if (value !== undefined) url.searchParams.set(name, value);
    }
    const body = request.body === undefined ? undefined : Buffer.from(JSON.stringify(request.body));
    const options: RequestOptions = {
      method: methods[request.verb],
      agent,
      signal,
      headers: {
        'User-Agent': fieldManager,
        ...headers,
        Accept: request.accept ?? 'application/json',
        ...bodyHeaders(request.verb, body),
      },
    };
    return new Promise((resolve, reject) => {
      const sent = (url.protocol === 'http:' ? requestHttp : requestHttps)(url, options, resolve);
      sent.on('error', (cause: NodeJS.ErrnoException) => {
        const stale = sent.reusedSocket && cause.code === 'ECONNRESET';
        reject(noAnswer(operationOf(request), url.host, cause, stale ? staleConnection : undefined));
      });
      sent.end(body);
    });
  }

  async #text(request: ApiRequest, response: IncomingMessage): Promise<string> {
    try {
      let text = '';
      for await (const chunk of response.setEncoding('utf8')) text += chunk as string;
      return text;
    } catch (cause) {
      throw noAnswer(operationOf(request), 'the API server', cause);
    }
  }
}

function bodyHeaders(verb: Verb, body: Buffer | undefined): Record<string, string | number> {
  if (!body) return {};
  return { 'Content-Type': contentTypes[verb] ?? 'application/json', 'Content-Length': body.length };
}

function operationOf({ verb, path }: ApiRequest): string {
  return `${verb} ${path}`;
}
