import { quantile } from '../../bench/stats.mjs';
import { configsOf, describeMutation, layersOf } from './mutations.js';
import type { Result, Verdict } from './survey.js';

type Of<Kind extends Verdict['kind']> = Result & { readonly verdict: Extract<Verdict, { kind: Kind }> };

/** Counts by verdict, refusals by reason, layers that were trained, and every failure with its model. */
export function reportOf(results: readonly Result[]): string {
  const of = <Kind extends Verdict['kind']>(kind: Kind) =>
    results.filter((result): result is Of<Kind> => result.verdict.kind === kind);
  const share = (part: number) => `${part} (${((100 * part) / results.length).toFixed(1)} %)`;
  const [same, refused, failed] = [of('same'), of('refused'), of('failure')];
  const byUsAlone = refused.filter(({ verdict }) => !('refusal' in verdict.judge));
  const neutral = (part: readonly Result[]) => part.filter(({ verdict }) => verdict.neutral).length;
  const named = refused.filter(namesItsPlace).length;
  return [
    `${results.length} models: ${share(same.length)} train as with tf_keras, ${share(refused.length)} are refused, ${share(failed.length)} fail`,
    `neutral changes: ${neutral(same)} train, ${neutral(refused)} are of a model that is refused without them too, ${neutral(failed)} fail`,
    errorsOf(same.map(({ verdict }) => verdict.error)),
    `refused by tf_keras too: ${refused.length - byUsAlone.length}; the message names layer, model or file: ${named} of ${refused.length}`,
    'refused where tf_keras trains:',
    ...countsOf(byUsAlone.map(({ verdict }) => reasonOf(verdict.message))),
    'refused without a name:',
    ...countsOf(refused.filter((result) => !namesItsPlace(result)).map(({ verdict }) => reasonOf(verdict.message))),
    `layers of the models that train: ${layersIn(same)}`,
    ...failed.map(describeFailure),
  ].join('\n');
}

function errorsOf(errors: readonly number[]): string {
  const [median, most, largest] = [0.5, 0.99, 1].map((q) => quantile(errors, q).toExponential(1));
  return `largest relative error of a model that trains: median ${median}, 99 % below ${most}, at most ${largest}`;
}

function namesItsPlace({ case: { topology }, verdict }: Of<'refused'>): boolean {
  const names = [...configsOf(topology).keys()].filter((name) => name.length > 2);
  return names.some((name) => verdict.message.includes(name)) || /model .*json|keras_version/.test(verdict.message);
}

function countsOf(reasons: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a).map(([reason, count]) => `  ${count} × ${reason}`);
}

/** A message without the parts that differ between models. */
function reasonOf(message: string): string {
  const common = message
    .replace(/"[^"]*"/g, '"…"')
    .replace(/[\w/-]+_\d+\S*/g, '…')
    .replace(/\d+(\.\d+)?/g, 'N');
  return common.slice(0, 150);
}

function layersIn(results: readonly Result[]): string {
  const names = results.flatMap(({ case: { topology } }) => [...new Set(layersOf(topology).map((l) => l.class_name))]);
  return countsOf(names)
    .map((line) => line.trim())
    .join(', ');
}

export function describeFailure({ case: { index, topology, mutations }, verdict }: Result): string {
  const changed = new Set(mutations.map(({ layer }) => layer));
  const layers = [...configsOf(topology)]
    .filter(([name]) => changed.has(name))
    .map(([, config]) => JSON.stringify(config));
  const problem = verdict.kind === 'failure' ? verdict.problem : verdict.kind;
  const lines = [...mutations.map(describeMutation), ...layers.map((text) => text.slice(0, 600))];
  return [`model ${index}: ${problem}`, ...lines.map((line) => `  ${line}`)].join('\n');
}
