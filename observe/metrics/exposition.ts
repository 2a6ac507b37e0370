/** A text format of metrics. */
export type ExpositionFormat = 'prometheus' | 'openmetrics';

export const contentTypes: Readonly<Record<ExpositionFormat, string>> = {
  prometheus: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

/**
 * Chooses OpenMetrics if the request prefers it to plain text, as Prometheus does; otherwise Prometheus' text format.
 */
export function decideFormat(accept: string | undefined): ExpositionFormat {
  const weights = { 'application/openmetrics-text': 0, 'text/plain': 0 };
  for (const range of (accept ?? '').split(',')) {
    const [type, ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    if (type !== 'application/openmetrics-text' && type !== 'text/plain') continue;
    const quality = parameters.find((parameter) => parameter.startsWith('q='));
    weights[type] = Math.max(weights[type], quality === undefined ? 1 : Number(quality.slice(2)) || 0);
  }
  const preferred = weights['application/openmetrics-text'];
  return preferred > 0 && preferred >= weights['text/plain'] ? 'openmetrics' : 'prometheus';
}

/**
 * Converts Prometheus' text format to OpenMetrics: a counter's family is named without `_total`, there are no empty
 * lines, and the end is marked. (prom-client's own OpenMetrics writer renames the counters permanently.)
 */
export function toOpenMetrics(text: string): string {
  const counters = new Set([...text.matchAll(/^# TYPE (\S+)_total counter$/gm)].map(([, name]) => name));
  const lines = text.split('\n').filter((line) => line !== '');
  const renamed = lines.map((line) =>
    line.replace(/^(# (?:HELP|TYPE) )(\S+)_total /, (all, head: string, name: string) =>
      counters.has(name) ? `${head}${name} ` : all,
    ),
  );
  return [...renamed, '# EOF', ''].join('\n');
}
