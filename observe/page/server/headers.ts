import type { MiddlewareHandler } from 'hono';
import { secureHeaders } from 'hono/secure-headers';

/** Security headers of every response: nothing is loaded from elsewhere, and no other site can embed or read the page. */
export function headers(): MiddlewareHandler {
  const page = withPolicy({
    scriptSrc: ["'self'"],
    styleSrc: ["'self'"],
    imgSrc: ["'self'"],
    connectSrc: ["'self'"],
    formAction: ["'self'"],
  });
  // The report contains its style and charts, and no script.
  const report = withPolicy({ styleSrc: ["'unsafe-inline'"], imgSrc: ["'self'", 'data:'] });
  return (context, next) => (context.req.path.startsWith('/report/') ? report(context, next) : page(context, next));
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
