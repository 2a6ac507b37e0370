import { Dice } from './dice.js';
import type { Description, Judge, RunRequest } from './judge.js';
import { randomModel, type Topology } from './models.js';
import { configsOf, everyDefault, mutate, type Mutation } from './mutations.js';
import { classes, imageShape, normalise, type Results, type Subject, type Trained } from './subject.js';
import { differenceOf, initialDifference, placedWeights, textOf, tolerance } from './verdict.js';

/** Random models, each changed at random, trained by Lockstep and by tf_keras. */

interface Case {
  readonly index: number;
  readonly topology: Topology;
  /** The model before the changes, and the fields that decide its function. */
  readonly base: Topology;
  readonly canonical: string;
  readonly mutations: readonly Mutation[];
}

export type Verdict =
  /** `error`: the largest relative one. */
  | { readonly kind: 'same'; readonly neutral: boolean; readonly error: number }
  | { readonly kind: 'refused'; readonly message: string; readonly neutral: boolean; readonly judge: Description }
  | { readonly kind: 'failure'; readonly problem: string; readonly neutral: boolean };

export interface Result {
  readonly case: Case;
  readonly verdict: Verdict;
}

/** The `index`-th random model of a seed. */
async function makeCase(judge: Judge, seed: number, index: number): Promise<Case> {
  const dice = new Dice('property', seed, index);
  const { sparse, described } = await drawModel(judge, dice);
  const complete = JSON.parse(described.complete) as Topology;
  const before = { index, canonical: canonical(described.complete) };
  if (dice.chance(0.08)) return { ...before, topology: complete, base: sparse, mutations: [everyDefault(sparse)] };
  const base = dice.chance(0.3) ? complete : sparse;
  const topology = structuredClone(base);
  const count = dice.chance(0.75) ? 1 : 2;
  const mutations = Array.from({ length: count }, () => mutate(dice, topology, configsOf(complete)));
  return { ...before, topology, base, mutations };
}

/** Draws a model that tf_keras builds: a few it doesn't, such as a Softmax after the Masking of a map. */
async function drawModel(judge: Judge, dice: Dice) {
  for (let draws = 1; ; draws++) {
    const sparse = randomModel(dice, imageShape, classes);
    const described = await judge.describe(sparse);
    if (!('refusal' in described)) return { sparse, described };
    if (draws === 5) throw new Error(`expected a model that tf_keras builds, got 5 refused: ${described.refusal}`);
  }
}

async function decide(judge: Judge, subject: Subject, found: Case): Promise<Verdict> {
  const outcome = await subject.submit(found.topology);
  switch (outcome.kind) {
    case 'crashed':
      return { kind: 'failure', problem: `crash after acceptance: ${outcome.message}`, neutral: false };
    case 'refused':
      return refusal(judge, subject, found, outcome.message);
    case 'trained':
      return compare(judge, found, outcome).finally(outcome.dispose);
    default:
      return outcome satisfies never;
  }
}

/** A neutral change must not be what is refused. */
async function refusal(judge: Judge, subject: Subject, found: Case, message: string): Promise<Verdict> {
  const description = await judge.describe(found.topology);
  const neutral = isNeutral(found, description);
  const refused: Verdict = { kind: 'refused', message, neutral, judge: description };
  if (!neutral) return refused;
  const unchanged = await subject.submit(found.base);
  if (unchanged.kind !== 'trained') return refused;
  await unchanged.dispose();
  return { kind: 'failure', problem: `neutral change refused: ${message}`, neutral };
}

/** True if only defaults were written or left out, and tf_keras reads the same model as before. */
function isNeutral({ canonical: before, mutations }: Case, changed: Description): boolean {
  if (!mutations.every(({ kind, neutral }) => neutral || kind === 'removeKey')) return false;
  return 'complete' in changed && canonical(changed.complete) === before;
}

/** The fields of a model that decide its function: the configurations of model and layers, and the calls. */
function canonical(text: string): string {
  return JSON.stringify(JSON.parse(text), (key, value: unknown) => {
    if (key === 'keras_version' || key === 'backend' || key === 'build_config') return undefined;
    return key === 'training' && value === null ? undefined : value;
  });
}

/** Compares results, and repeats with other numbers if they differ: a kink of a ReLU or a maximum may be near. */
async function compare(judge: Judge, found: Case, trained: Trained): Promise<Verdict> {
  const failure = (problem: string): Verdict => ({ kind: 'failure', problem, neutral: false });
  let problem = '';
  for (const attempt of [0, 1]) {
    const results = await trained.run(attempt).catch((error: unknown) => String(error));
    if (typeof results === 'string') return failure(`crash in training: ${results}`);
    const judged = await judge.run(requestOf(found, trained, results, attempt));
    if ('refusal' in judged) return failure(`tf_keras refuses: ${judged.refusal}`);
    if ('disagreement' in judged) return failure(judged.disagreement);
    const { what, error } = differenceOf(trained, results, judged);
    const initial = initialDifference(trained, judged);
    if (error <= tolerance && initial === undefined) return { kind: 'same', neutral: isNeutral(found, judged), error };
    problem = initial ?? `${what} differs by ${error.toExponential(1)}`;
  }
  return failure(problem);
}

function requestOf({ topology }: Case, trained: Trained, results: Results, attempt: number): RunRequest {
  const { input } = results;
  return {
    topology: JSON.stringify(topology),
    imageShape,
    normalise,
    images: textOf(input.images),
    labels: [...input.labels],
    weights: placedWeights(trained.weights, results),
    masks: trained.masks.map(({ name, shape, rate }, i) => ({ name, shape, rate, values: textOf(input.masks![i]!) })),
    sensitivity: attempt > 0,
  };
}

export interface SurveyOptions {
  readonly judge: Judge;
  readonly subject: Subject;
  readonly seed: number;
  readonly count: number;
  readonly first?: number;
  /** No further model is begun after this time; default: no limit. */
  readonly limitMs?: number;
  readonly onResult?: (result: Result) => void;
}

/** Models in progress at once, so that neither Lockstep nor the judge waits for the other. */
const lanes = 3;

/** Judges `count` models of a seed; results in the models' order. */
export async function survey(options: SurveyOptions): Promise<Result[]> {
  const { judge, subject, seed, count, first = 0, limitMs = Infinity, onResult } = options;
  const end = performance.now() + limitMs;
  const results: Result[] = [];
  let taken = 0;
  const lane = async () => {
    while (taken < count && performance.now() < end) {
      const at = taken++;
      const found = await makeCase(judge, seed, first + at);
      results[at] = { case: found, verdict: await decide(judge, subject, found) };
      onResult?.(results[at]);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return results;
}
