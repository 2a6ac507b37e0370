import type { MiddlewareHandler } from 'hono';
import { secureHeaders } from 'hono/secure-headers';

export interface HeaderOptions {
  /** Hash of the script that pages to verify contain, as a source of a policy. */
  readonly verifyScript: string;
}

/** Paths of pages to verify: the live one, and the report's. */
const verifyPaths = ['/verify', '/report/verify.html'];

/** Security headers of every response: nothing is loaded from elsewhere, and no other site can embed or read the page. */
export function headers({ verifyScript }: HeaderOptions): MiddlewareHandler {
  const page = withPolicy({
    scriptSrc: ["'self'"],
    styleSrc: ["'self'"],
    imgSrc: ["'self'"],
    connectSrc: ["'self'"],
    formAction: ["'self'"],
  });
  // The report contains its style and charts, and no script.
  const report = withPolicy({ styleSrc: ["'unsafe-inline'"], imgSrc: ["'self'", 'data:'] });
  // Such a page contains its style, its script and its data.
  const verify = withPolicy({ styleSrc: ["'unsafe-inline'"], scriptSrc: [verifyScript, "'wasm-unsafe-eval'"] });
  return (context, next) => {
    const { path } = context.req;
    if (verifyPaths.includes(path)) return verify(context, next);
    return path.startsWith('/report/') ? report(context, next) : page(context, next);
  };
}

function withPolicy(sources: Readonly<Record<string, string[]>>): MiddlewareHandler {
  return secureHeaders({
    contentSecurityPolicy: { defaultSrc: ["'none'"], ...sources, baseUri: ["'none'"], frameAncestors: ["'none'"] },
    referrerPolicy: 'no-referrer',
    xFrameOptions: 'DENY',
    // It would apply to every port of the host, including those of programs without TLS.
    strictTransportSecurity: false,
  });
}
