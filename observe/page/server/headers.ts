import type { MiddlewareHandler } from 'hono';
import { secureHeaders } from 'hono/secure-headers';

/** Security headers of every answer: nothing is loaded from elsewhere, and no other site shows or reads the page. */
export function headers(): MiddlewareHandler {
  const page = withPolicy({
    scriptSrc: ["'self'"],
    styleSrc: ["'self'"],
    imgSrc: ["'self'"],
    connectSrc: ["'self'"],
    formAction: ["'self'"],
  });
  // The report has its style and its charts within, and no script.
  const report = withPolicy({ styleSrc: ["'unsafe-inline'"], imgSrc: ["'self'", 'data:'] });
  return (context, next) => (context.req.path.startsWith('/report/') ? report(context, next) : page(context, next));
}

function withPolicy(sources: Readonly<Record<string, string[]>>): MiddlewareHandler {
  return secureHeaders({
    contentSecurityPolicy: { defaultSrc: ["'none'"], ...sources, baseUri: ["'none'"], frameAncestors: ["'none'"] },
    referrerPolicy: 'no-referrer',
    xFrameOptions: 'DENY',
    // It would bind every port of the host, also those of programs without TLS.
    strictTransportSecurity: false,
  });
}
