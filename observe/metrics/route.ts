import { Hono } from 'hono';
import { contentTypes, decideFormat } from './exposition.js';
import type { Metrics } from './start.js';

/** `GET /metrics` for Prometheus: its text format, or OpenMetrics if the request prefers that. */
export function metricsRoute(metrics: Metrics): Hono {
  return new Hono().get('/metrics', async (context) => {
    const format = decideFormat(context.req.header('accept'));
    return context.body(await metrics.text(format), 200, {
      'content-type': contentTypes[format],
      'cache-control': 'no-store',
    });
  });
}
