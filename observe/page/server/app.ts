import { Hono } from 'hono';
import { compress } from 'hono/compress';
import { HTTPException } from 'hono/http-exception';
import { readVerifyScript } from '../../../run/verify/script.js';
import { isLoopback } from '../../../transport/listen.js';
import { assetRoutes } from './assets.js';
import { onlyLoopbackNames, TokenAuthorization } from './authorize.js';
import { headers } from './headers.js';
import { notePeers } from './peers.js';
import { pictureRoutes } from './picture-routes.js';
import { reportRoutes } from './report-routes.js';
import { runRoutes } from './run-routes.js';
import type { Site } from './site.js';
import { verifyRoutes } from './verify-routes.js';

export interface AppOptions {
  readonly site: Site;
  /** Address of the server. */
  readonly host: string;
  readonly port: number;
  readonly token?: string | undefined;
  /** True if the page is served over TLS. */
  readonly isSecure?: boolean;
  /** Called with unexpected errors. */
  readonly onError?: (error: Error) => void;
  /** Called with the peer (`ADDRESS:PORT`) of each authorized request. */
  readonly onAuthorized?: (peer: string) => void;
  /** More routes of the same server, behind the same authorization. */
  readonly routes?: readonly Hono[];
}

/** The live page and its API; read-only. */
export async function createApp(options: AppOptions): Promise<Hono> {
  const { site, host, port, token, isSecure = false, onError, onAuthorized, routes = [] } = options;
  const app = new Hono();
  app.use(headers({ verifyScript: (await readVerifyScript()).source }));
  if (isLoopback(host)) app.use(onlyLoopbackNames());
  if (token !== undefined) {
    const authorization = new TokenAuthorization({ token, port, isSecure });
    app.route('/', authorization.routes());
    app.use(authorization.guard());
  }
  if (onAuthorized) app.use(notePeers(onAuthorized));
  app.use(compress());
  const own = [await assetRoutes(), runRoutes(site), pictureRoutes(site), reportRoutes(site), verifyRoutes(site)];
  for (const section of [...own, ...routes]) app.route('/', section);
  app.notFound((context) => context.json({ error: 'expected a page of this server, got another path' }, 404));
  app.onError((error, context) => {
    if (error instanceof HTTPException) return error.getResponse();
    onError?.(error);
    return context.json({ error: 'internal: this request failed; see the log of the coordinator' }, 500);
  });
  return app;
}
