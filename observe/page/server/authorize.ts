import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Context, MiddlewareHandler } from 'hono';
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { getCookie, setCookie } from 'hono/cookie';
import { html } from 'hono/html';
import { z } from 'zod';
import { htmlPage } from '../../../run/report/html-page.js';
import { tokensEqual } from '../../../transport/auth.js';
import { isLoopbackHost } from './decide.js';

/** Time that a browser stays signed in. */
const sessionMs = 12 * 3_600_000;
const maxSessions = 256;
/** Delay of the response to a wrong token in the form, to slow down guessing. */
const wrongTokenMs = 1_000;
const form = z.object({ token: z.string().min(1).max(4096) });

/** Rejects requests for host names other than loopback's, which a web site's script may send from this machine. */
export function onlyLoopbackNames(): MiddlewareHandler {
  return async (context, next) => {
    if (isLoopbackHost(context.req.header('Host'))) return next();
    const error =
      'Host: expected localhost or a loopback address, got another name; open the address as it was printed';
    return context.json({ error }, 403);
  };
}

/**
 * Authorizes requests by the cluster's token: `Authorization: Bearer`, or a form that sets a cookie. The cookie is a random
 * session name, so it doesn't reveal the token. Neither is ever logged.
 */
export class TokenAuthorization {
  /** Sessions by name with their expiry in ms since 1970; oldest first. */
  readonly #sessions = new Map<string, number>();

  constructor(
    private readonly options: {
      readonly token: string;
      /** Part of the cookie's name, as browsers share cookies between the ports of a host. */
      readonly port: number;
      /** True if the cookie travels over TLS only. */
      readonly isSecure: boolean;
    },
  ) {}

  guard(): MiddlewareHandler {
    return async (context, next) => {
      if (this.#isKnown(context)) return next();
      context.header('Cache-Control', 'no-store');
      // Each attempt then needs a new connection, and those are limited.
      context.header('Connection', 'close');
      if (context.req.path.startsWith('/api/') || context.req.path === '/metrics') {
        context.header('WWW-Authenticate', 'Bearer');
        return context.json({ error: "expected the cluster's token, got none or another" }, 401);
      }
      return context.html(signInPage(), 401);
    };
  }

  /** `POST /sign-in` with the token as form field. */
  routes(): Hono {
    const routes = new Hono();
    routes.post('/sign-in', bodyLimit({ maxSize: 8_192 }), async (context) => {
      const body = form.safeParse(await context.req.parseBody());
      context.header('Cache-Control', 'no-store');
      if (!body.success || !tokensEqual(body.data.token.trim(), this.options.token)) {
        await sleep(wrongTokenMs);
        context.header('Connection', 'close');
        return context.html(signInPage('Wrong token for this cluster.'), 401);
      }
      const secure = this.options.isSecure;
      const cookie = { httpOnly: true, sameSite: 'Strict', path: '/', maxAge: sessionMs / 1000, secure } as const;
      setCookie(context, this.#cookie, this.#open(Date.now()), cookie);
      return context.redirect('/', 303);
    });
    return routes;
  }

  get #cookie(): string {
    return `lockstep-${this.options.port}`;
  }

  #open(nowMs: number): string {
    const session = randomBytes(32).toString('base64url');
    this.#sessions.set(session, nowMs + sessionMs);
    const [oldest] = this.#sessions.keys();
    if (this.#sessions.size > maxSessions && oldest !== undefined) this.#sessions.delete(oldest);
    return session;
  }

  #isKnown(context: Context): boolean {
    const session = getCookie(context, this.#cookie);
    if (session !== undefined && (this.#sessions.get(session) ?? 0) > Date.now()) return true;
    return tokensEqual(context.req.header('Authorization') ?? '', `Bearer ${this.options.token}`);
  }
}

/** Form that asks for the cluster's token. */
function signInPage(problem?: string): string {
  return htmlPage({
    title: 'Lockstep: sign in',
    body: html`<main>
      <h1>Lockstep</h1>
      <p>Enter the token of this run’s cluster (the content of its --token-file).</p>
      ${problem === undefined ? undefined : html`<p role="alert">${problem}</p>`}
      <form method="post" action="/sign-in">
        <label for="token">Token</label>
        <input id="token" name="token" type="password" autocomplete="current-password" required autofocus />
        <button>Sign in</button>
      </form>
    </main>`,
  });
}
