import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { hostname } from 'node:os';
import type { Hono } from 'hono';
import type { ObservedRun, RunView } from '../../../coordinator/state/run-view.js';
import { formatEndpoint } from '../../../transport/listen.js';
import { reportDropped } from '../../../transport/admission/report-dropped.js';
import { completesWithin } from '../../../util/deadline.js';
import { decideHttp, type HttpOptions, type HttpPlace } from './decide.js';
import { answerHealth } from './health.js';
import { type PagePort, takePort } from './port.js';
import type { Site } from './site.js';

/** Time for clients to read the last update. */
const closeLimitMs = 500;

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

export interface ServeOptions {
  readonly onError: (error: Error) => void;
  /** More routes of the same server, made when the run is prepared. */
  readonly routes?: () => Promise<readonly Hono[]>;
}

/**
 * The live page of a run. Opens its port first, so that a wrong option is reported at once. Loads its modules after the
 * first step, which needs all cores until then, or at the first request. Its errors never end the run.
 */
export class LivePage {
  #site: Site | undefined;
  #isClosed = false;
  /** Open connections; an HTTPS server doesn't close those that are still in their handshake. */
  readonly #sockets = new Set<Socket>();
  #handle: Handler = answerPreparing;
  #endReports: () => void = () => undefined;

  readonly #server: Server;

  private constructor(
    private readonly port: PagePort,
    private readonly place: HttpPlace,
    private readonly options: HttpOptions,
  ) {
    const { server } = port;
    this.#server = server;
    server.on('request', (request, response) => {
      if (!answerHealth(request, response)) this.#handle(request, response);
    });
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket.once('close', () => this.#sockets.delete(socket)));
    });
    server.on('error', () => undefined);
  }

  /** @returns undefined without a page. @throws JobError BAD_OPTION */
  static async open(options: HttpOptions): Promise<LivePage | undefined> {
    const place = decideHttp(options);
    return place && new LivePage(await takePort(place, options.tls), place, options);
  }

  get address(): string {
    const isAny = this.place.host === '0.0.0.0' || this.place.host === '::';
    const scheme = this.options.tls ? 'https' : 'http';
    return `${scheme}://${formatEndpoint({ host: isAny ? hostname() : this.place.host, port: this.#port })}/`;
  }

  /** Serves the page once the job is prepared; returns at once. */
  serve(coordinator: ObservedRun, options: ServeOptions): void {
    const note = (message: string) => coordinator.events.emit({ type: 'note', message });
    this.#endReports = reportDropped('--http', () => this.port.admission.dropped, note);
    const prepared = (view: RunView) => {
      let loading: Promise<void> | undefined;
      const load = () => (loading ??= this.#load(coordinator, view, options));
      coordinator.events.subscribe(({ type }) => {
        if (type === 'timing') void load();
      });
      this.#handle = (request, response) => void load().then(() => this.#handle(request, response));
    };
    coordinator.view().then(prepared, () => undefined);
  }

  /** Notifies observers that the run is over, and closes the port. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#site?.close();
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.port.admission.close();
    this.#endReports();
    this.#server.closeIdleConnections();
    if (!(await completesWithin(closed, closeLimitMs))) this.#sockets.forEach((socket) => socket.destroy());
    await closed;
  }

  get #port(): number {
    return (this.#server.address() as AddressInfo | null)?.port ?? this.place.port;
  }

  async #load(coordinator: ObservedRun, view: RunView, options: ServeOptions): Promise<void> {
    const handle = await this.#createHandler(coordinator, view, options).catch(options.onError);
    this.#handle = handle ?? answerPreparing;
  }

  /** @returns undefined if the page was closed meanwhile. */
  async #createHandler(
    coordinator: ObservedRun,
    view: RunView,
    { onError, routes }: ServeOptions,
  ): Promise<Handler | undefined> {
    const [{ getRequestListener }, { createApp }, { Site }] = await Promise.all([
      import('@hono/node-server'),
      import('./app.js'),
      import('./site.js'),
    ]);
    if (this.#isClosed) return undefined;
    const site = (this.#site = new Site(view, () => coordinator.status()));
    const { host } = this.place;
    const { token, tls } = this.options;
    const more = (await routes?.()) ?? [];
    const isSecure = tls !== undefined;
    const onAuthorized = (peer: string) => this.port.admission.authenticated(peer);
    const app = await createApp({ site, host, port: this.#port, token, isSecure, onError, onAuthorized, routes: more });
    const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false });
    return (request, response) => void listener(request, response);
  }
}

/** Response while the job is being prepared; the browser reloads it after a second. */
function answerPreparing(_request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(503, {
    'Content-Type': 'text/html; charset=utf-8',
    'Cache-Control': 'no-store',
    'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
    'X-Content-Type-Options': 'nosniff',
    'Retry-After': '1',
    Refresh: '1',
  });
  response.end('<!doctype html><html lang="en"><title>Lockstep</title><p>The job is being prepared …</p></html>');
}
