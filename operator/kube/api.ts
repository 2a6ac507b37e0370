import { request as requestHttp, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { KubernetesObject } from '@kubernetes/client-node';
import { answerError, ApiError, hasCode, noAnswer } from './api-error.js';
import type { Connector } from './connection.js';
import { fieldManager } from './field-manager.js';
import { FairLimit } from './fair-limit.js';
import { type Fields, JsonSelector, type Selection } from './json-selector.js';

type Verb = 'get' | 'list' | 'watch' | 'create' | 'apply' | 'patch' | 'update' | 'delete';

export interface ApiRequest {
  readonly verb: Verb;
  /** Plural of the kind, with "/status" for that subresource; for errors and metrics. */
  readonly resource: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly body?: object;
  readonly accept?: string;
  /** Part of the response to read; default: all of it, up to `maxAnswerBytes`. */
  readonly read?: Selection | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Metadata of a page of a list. */
export interface ListEnd {
  readonly metadata: { readonly continue?: string; readonly resourceVersion?: string };
}

/** Called after each request. @param code - HTTP status; 0 without an answer. */
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
/** Largest response read in full: a Secret or a Lease, which have at most 1 MiB. */
const maxAnswerBytes = 2 * 2 ** 20;
const maxErrorBytes = 64 * 2 ** 10;
/** Time limit of a request. Admission webhooks of a write may take 10 s. */
const limitMs = 15_000;
/** Time limit of a page of a list, which may be large. */
const listLimitMs = 60_000;
const staleConnection = 'StaleConnection';
/** TCP keep-alive of watches; a broken connection is detected after three probes. */
const keepAliveMs = 30_000;

/**
 * Client of the API server, in plain JSON. The client of `@kubernetes/client-node` opens a TLS connection per request,
 * parses dates in lists but not in watches, and has no metadata-only lists. Only its kubeconfig and types are used.
 */
export class Api {
  readonly #limit: FairLimit;

  /** @param rate - average and burst of requests; watches and leases are exempt. */
  constructor(
    private readonly connector: Connector,
    private readonly onCall: CallListener = () => undefined,
    rate: { readonly perSecond: number; readonly burst: number } = { perSecond: 50, burst: 100 },
  ) {
    this.#limit = new FairLimit(rate.perSecond, rate.burst);
  }

  /** @throws ApiError */
  async call<Reply = KubernetesObject>(request: ApiRequest): Promise<Reply> {
    return this.#answer(request, limitMs, async (response) => {
      if (request.read === undefined) return JSON.parse(await this.#text(request, response, maxAnswerBytes)) as Reply;
      const values: unknown[] = [];
      const selector = new JsonSelector({ selection: request.read, onValue: (value) => values.push(value) });
      await this.#select(request, response, selector);
      return values[0] as Reply;
    });
  }

  /**
   * Reads one page of a list. @param onObject - called with each object, as `read` selects it.
   * @throws ApiError
   */
  async list(request: ApiRequest & { read: Fields }, onObject: (object: KubernetesObject) => void): Promise<ListEnd> {
    return this.#answer(request, listLimitMs, async (response) => {
      const ends: ListEnd['metadata'][] = [];
      const selector = new JsonSelector({
        selection: { metadata: { continue: 'all', resourceVersion: 'all' }, items: { each: request.read } },
        onElement: (object) => onObject(object as KubernetesObject),
        onValue: (list) => ends.push((list as ListEnd).metadata),
      });
      await this.#select(request, response, selector);
      return { metadata: ends[0] ?? {} };
    });
  }

  async #answer<Read>(
    request: ApiRequest,
    timeMs: number,
    read: (response: IncomingMessage) => Promise<Read>,
  ): Promise<Read> {
    if (!request.resource.startsWith('leases')) await this.#limit.pass(namespaceOf(request), request.signal);
    const limit = AbortSignal.timeout(timeMs);
    const signal = request.signal ? AbortSignal.any([request.signal, limit]) : limit;
    try {
      return await read(await this.#open(request, signal));
    } catch (error) {
      // If one connection has gone silent, idle ones may have as well.
      if (limit.aborted) this.connector.dropIdle();
      throw error;
    }
  }

  /**
   * Opens a stream of objects, each as `read` selects it.
   * @param onBytes - called whenever data arrives.
   * @throws ApiError also if the stream breaks.
   */
  async *stream(
    request: ApiRequest & { signal: AbortSignal; read: Selection },
    onBytes: () => void,
  ): AsyncGenerator<unknown> {
    const response = await this.#open(request, request.signal);
    response.socket.setKeepAlive(true, keepAliveMs);
    onBytes();
    yield* this.#values(request, response, onBytes);
  }

  async *#values(
    request: ApiRequest & { read: Selection },
    response: IncomingMessage,
    onBytes: () => void,
  ): AsyncGenerator<unknown> {
    const values: unknown[] = [];
    const selector = new JsonSelector({ selection: request.read, onValue: (value) => values.push(value) });
    try {
      for await (const chunk of response) {
        onBytes();
        selector.write(chunk as Buffer);
        yield* values.splice(0);
      }
    } catch (cause) {
      throw readError(request, cause);
    } finally {
      response.destroy();
    }
  }

  /** Passes the whole response to the selector. @throws ApiError if it is cut off. */
  async #select(request: ApiRequest, response: IncomingMessage, selector: JsonSelector): Promise<void> {
    try {
      for await (const chunk of response) selector.write(chunk as Buffer);
    } catch (cause) {
      throw readError(request, cause);
    }
    if (!selector.isComplete) throw readError(request, new Error('the response ended early'));
  }

  /** Sends a request. @returns a response with status 2xx. @throws ApiError for others. */
  async #open(request: ApiRequest, signal: AbortSignal): Promise<IncomingMessage> {
    const response = await this.#sendWithRetry(request, signal).catch((error: unknown) => {
      this.onCall(request.verb, request.resource, 0);
      throw error;
    });
    const code = response.statusCode ?? 0;
    this.onCall(request.verb, request.resource, code);
    if (code >= 200 && code < 300) return response;
    const retryAfter = response.headers['retry-after'];
    const error = answerError(operationOf(request), code, await this.#errorText(request, response), retryAfter);
    if (hasCode(error, 401)) this.connector.forget();
    if (hasCode(error, 429)) this.#limit.holdUntil(performance.now() + (error.retryAfterMs ?? 1000));
    throw error;
  }

  /** Retries once if the server has closed a kept connection just as it was reused. */
  async #sendWithRetry(request: ApiRequest, signal: AbortSignal): Promise<IncomingMessage> {
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

  /** @throws ApiError if it is longer than `maxBytes`; the rest isn't read. */
  async #text(request: ApiRequest, response: IncomingMessage, maxBytes: number): Promise<string> {
    const chunks: Buffer[] = [];
    let bytes = 0;
    try {
      for await (const chunk of response) {
        chunks.push(chunk as Buffer);
        bytes += (chunk as Buffer).length;
        if (bytes > maxBytes) throw tooLong(request, maxBytes);
      }
      return Buffer.concat(chunks).toString('utf8');
    } catch (cause) {
      throw readError(request, cause);
    }
  }

  async #errorText(request: ApiRequest, response: IncomingMessage): Promise<string> {
    return this.#text(request, response, maxErrorBytes).catch((error: unknown) => (error as Error).message);
  }
}

function tooLong(request: ApiRequest, maxBytes: number): ApiError {
  return new ApiError(
    `${operationOf(request)}: expected a response of at most ${maxBytes} bytes, got more`,
    413,
    'TooLarge',
  );
}

function readError(request: ApiRequest, cause: unknown): ApiError {
  return cause instanceof ApiError ? cause : noAnswer(operationOf(request), 'the API server', cause);
}

/** Namespace of a request; '' for all namespaces. */
function namespaceOf({ path }: ApiRequest): string {
  return /\/namespaces\/([^/]+)/.exec(path)?.[1] ?? '';
}

function bodyHeaders(verb: Verb, body: Buffer | undefined): Record<string, string | number> {
  if (!body) return {};
  return { 'Content-Type': contentTypes[verb] ?? 'application/json', 'Content-Length': body.length };
}

function operationOf({ verb, path }: ApiRequest): string {
  return `${verb} ${path}`;
}
