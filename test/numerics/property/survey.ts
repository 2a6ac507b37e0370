import { Dice } from './dice.js';
import type { Judge, Numbers } from './judge.js';
import { randomModel, type Topology } from './models.js';
import { configsOf, describeMutation, mutate, type Mutation } from './mutations.js';
import { classes, imageShape, normalise, type Subject, type Trained } from './subject.js';
import { differenceOf, initialDifference, placedWeights, textOf } from './verdict.js';

/** Random models, each changed at random, trained by Lockstep and by tf_keras. */

export interface Case {
  readonly index: number;
  readonly topology: Topology;
  readonly base: Topology;
  readonly mutations: readonly Mutation[];
  /** All mutations are neutral, and tf_keras reads the same model as before. */
  readonly neutral: boolean;
  readonly judge: 'accepts' | { readonly refusal: string };
}

export type Verdict =
  | { readonly kind: 'same' }
  | { readonly kind: 'refused'; readonly message: string; readonly named: boolean }
  | { readonly kind: 'failure'; readonly problem: string };

export interface Result {
  readonly case: Case;
  readonly verdict: Verdict;
}

/** The `index`-th random model of a seed. */
export async function makeCase(judge: Judge, seed: number, index: number): Promise<Case> {
  const dice = new Dice('property', seed, index);
  const sparse = randomModel(dice, imageShape, classes);
  const described = await judge.describe(sparse);
  if ('refusal' in described) throw new Error(`model ${index}: tf_keras refuses the unchanged one: ${described.refusal}\n${JSON.stringify(sparse)}`); // prettier-ignore
  const complete = JSON.parse(described.complete) as Topology;
  const base = dice.chance(0.3) ? complete : sparse;
  const topology = structuredClone(base);
  const count = dice.chance(0.08) ? 0 : dice.chance(0.75) ? 1 : 2;
  const mutations = Array.from({ length: count }, () => mutate(dice, topology, configsOf(complete)));
  const changed = await judge.describe(topology);
  if ('refusal' in changed) return { index, topology, base, mutations, neutral: false, judge: changed };
  const isSame = canonical(changed.complete) === canonical(described.complete);
  const removed = mutations.every(({ kind, neutral }) => neutral || kind === 'removeKey');
  return { index, topology, base, mutations, neutral: isSame && removed, judge: 'accepts' };
}

/** What decides the function: the model's and the layers' configurations, and the calls. */
function canonical(text: string): string {
  return JSON.stringify(JSON.parse(text), (key, value: unknown) => {
    if (key === 'keras_version' || key === 'backend' || key === 'build_config') return undefined;
    return key === 'training' && value === null ? undefined : value;
  });
}

export async function decide(judge: Judge, subject: Subject, found: Case): Promise<Verdict> {
  const outcome = await subject.submit(found.topology);
  switch (outcome.kind) {
    case 'crashed':
      return { kind: 'failure', problem: `crash after acceptance: ${outcome.message}` };
    case 'refused':
      return refusal(subject, found, outcome);
    case 'trained':
      try {
        return await compare(judge, found, outcome);
      } catch (error) {
        return { kind: 'failure', problem: `crash in training: ${String(error)}` };
      } finally {
        await outcome.dispose();
      }
    default:
      return outcome satisfies never;
  }
}

async function refusal(
  subject: Subject,
  { base, neutral, mutations }: Case,
  { message, proper }: { readonly message: string; readonly proper: boolean },
): Promise<Verdict> {
  const refused: Verdict = { kind: 'refused', message, named: proper };
  if (!neutral || mutations.length === 0) return refused;
  const unchanged = await subject.submit(base);
  if (unchanged.kind !== 'trained') return refused;
  await unchanged.dispose();
  return { kind: 'failure', problem: `neutral change refused: ${message}` };
}

/** Compared again with other numbers where they differ: a kink of a ReLU or of a maximum may be near. */
async function compare(judge: Judge, found: Case, trained: Trained): Promise<Verdict> {
  if (found.judge !== 'accepts') return { kind: 'failure', problem: `tf_keras refuses: ${found.judge.refusal}` };
  const first = await attempt(judge, found, trained, 0);
  if (first === undefined) return { kind: 'same' };
  const second = await attempt(judge, found, trained, 1);
  return second === undefined ? { kind: 'same' } : { kind: 'failure', problem: second };
}

/** @returns in what Lockstep and tf_keras differ; undefined: nothing. */
async function attempt(judge: Judge, { topology }: Case, trained: Trained, index: number): Promise<string | undefined> {
  const results = await trained.run(index);
  const { input } = results;
  const judged = await judge.run({
    topology: JSON.stringify(topology),
    imageShape,
    normalise,
    images: textOf(input.images),
    labels: [...input.labels],
    weights: placedWeights(trained.weights, results),
    masks: trained.masks.map(({ name, shape, rate }, i) => ({ name, shape, rate, values: textOf(input.masks![i]!) })),
    sensitivity: index > 0,
  });
  if ('refusal' in judged) return `tf_keras refuses: ${judged.refusal}`;
  if ('disagreement' in judged) return judged.disagreement;
  return numbersDiffer(trained, results, judged);
}

function numbersDiffer(trained: Trained, results: Parameters<typeof differenceOf>[1], judged: Numbers) {
  const difference = differenceOf(trained, results, judged);
  if (difference) return `${difference.what} differs by ${difference.error.toExponential(1)}`;
  return initialDifference(trained, judged);
}

export interface SurveyOptions {
  readonly judge: Judge;
  readonly subject: Subject;
  readonly seed: number;
  readonly count: number;
  readonly first?: number;
  readonly onResult?: (result: Result) => void;
}

/** Judges the models of a seed; the judge works on the next one meanwhile. */
export async function survey({ judge, subject, seed, count, first = 0, onResult }: SurveyOptions): Promise<Result[]> {
  const results: Result[] = [];
  let next = makeCase(judge, seed, first);
  for (let index = first; index < first + count; index++) {
    const found = await next;
    next = index + 1 < first + count ? makeCase(judge, seed, index + 1) : next;
    const result = { case: found, verdict: await decide(judge, subject, found) };
    onResult?.(result);
    results.push(result);
  }
  return results;
}

/** Counts by verdict, refusals by reason, and every failure with its model. */
export function reportOf(results: readonly Result[]): string {
  const of = (kind: Verdict['kind']) => results.filter(({ verdict }) => verdict.kind === kind);
  const share = (part: number) => `${part} (${((100 * part) / results.length).toFixed(1)} %)`;
  const neutral = results.filter(({ case: { neutral, mutations } }) => neutral && mutations.length > 0);
  const refusedByBoth = of('refused').filter(({ case: { judge } }) => judge !== 'accepts').length;
  return [
    `models: ${results.length}; accepted with tf_keras's numbers: ${share(of('same').length)}`,
    `refused: ${share(of('refused').length)}, of which ${refusedByBoth} by tf_keras too`,
    `neutral changes: ${neutral.length}, of which trained: ${neutral.filter(({ verdict }) => verdict.kind === 'same').length}`,
    `failures: ${share(of('failure').length)}`,
    ...countsOf(of('refused').map(({ verdict }) => reasonOf((verdict as { message: string }).message))),
    ...of('failure').map(describeFailure),
  ].join('\n');
}

function countsOf(reasons: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a).map(([reason, count]) => `  ${count} × ${reason}`);
}

/** A message without what differs from model to model. */
function reasonOf(message: string): string {
  return message.replace(/"[^"]*"/g, '"…"').replace(/\S*_\d+\S*/g, '…').replace(/\d+(\.\d+)?/g, 'N').slice(0, 110);
}

export function describeFailure({ case: { index, topology, mutations }, verdict }: Result): string {
  const changed = new Set(mutations.map(({ layer }) => layer));
  const layers = [...configsOf(topology)].filter(([name]) => changed.has(name)).map(([, config]) => JSON.stringify(config));
  const problem = verdict.kind === 'failure' ? verdict.problem : verdict.kind;
  return [`model ${index}: ${problem}`, ...mutations.map((mutation) => `  ${describeMutation(mutation)}`), ...layers.map((text) => `  ${text.slice(0, 600)}`)].join('\n'); // prettier-ignore
}
