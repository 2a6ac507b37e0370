import { isAlsoWord, roleOf, type SetRole } from './set-names.js';

/** Properties of a folder that determine its use. */
export interface Candidate {
  readonly name: string;
  /** True if it contains folders; those of a set are its classes. */
  readonly hasFolders: boolean;
  /** True if it directly contains images. */
  readonly hasImages: boolean;
}

/** An unused folder and the reason. */
interface NotUsed {
  readonly name: string;
  readonly reason: string;
}

/** Use of the folders inside an image folder. */
export type Layout =
  | { readonly kind: 'classes' }
  | { readonly kind: 'sets'; readonly train: string; readonly test: string; readonly notUsed: readonly NotUsed[] }
  /** Folders are named like sets, but their use is ambiguous. */
  | { readonly kind: 'unclear'; readonly found: string; readonly advice: string };

const renameAdvice = 'or rename the folders if they are classes';

/**
 * Distinguishes sets from classes by names and contents.
 *
 * A set has a set's name and contains class folders. The test set is the one named so, else the validation set.
 * Folders that are named like sets but can't be used as such are never classes, because the network would learn to
 * distinguish sets.
 */
export function decideLayout(folders: readonly Candidate[]): Layout {
  const named = folders.filter(({ name }) => roleOf(name) !== undefined);
  if (named.length === 0 || areWords(named, folders)) return { kind: 'classes' };
  const setsOf = (role: SetRole) => named.filter((folder) => roleOf(folder.name) === role && isSet(folder));
  const [train, test, validation] = [setsOf('train'), setsOf('test'), setsOf('validation')];
  const tests = test.length > 0 ? test : validation;
  if (train.length === 1 && tests.length === 1) return sets(train[0]!, tests[0]!, folders);
  return unclear(named, train, tests);
}

/** True if the name is an ordinary word: a class named train or valid contains images, and no other name is a set's. */
function areWords(named: readonly Candidate[], folders: readonly Candidate[]): boolean {
  const [only] = named;
  return named.length === 1 && folders.length > 1 && only!.hasImages && isAlsoWord(only!.name);
}

function isSet({ hasFolders }: Candidate): boolean {
  return hasFolders;
}

function sets(train: Candidate, test: Candidate, folders: readonly Candidate[]): Layout {
  const others = folders.filter((folder) => folder !== train && folder !== test);
  const notUsed = others.map((folder) => ({ name: folder.name, reason: reasonNotUsed(folder, test) }));
  return { kind: 'sets', train: train.name, test: test.name, notUsed };
}

function reasonNotUsed(folder: Candidate, test: Candidate): string {
  if (roleOf(folder.name) === undefined) return 'neither a training nor a test set by its name';
  if (!isSet(folder)) return 'without class folders';
  return `${test.name}/ is the test set`;
}

function unclear(named: readonly Candidate[], train: readonly Candidate[], tests: readonly Candidate[]): Layout {
  const list = (folders: readonly Candidate[]) => listNames(folders.map(({ name }) => `${name}/`));
  const found = (problem: string) =>
    `${list(named)}, which ${named.length === 1 ? 'looks like a set' : 'look like sets'}${problem}`;
  const flat = named.filter((folder) => !isSet(folder));
  if (train.length > 1 || tests.length > 1) {
    const several = list(train.length > 1 ? train : tests);
    const purpose = train.length > 1 ? 'training' : 'testing';
    return {
      kind: 'unclear',
      found: found(`: several for ${purpose}`),
      advice: `keep one of ${several} here and move the others elsewhere, ${renameAdvice}`,
    };
  }
  if (flat.length > 0) {
    const advice = `sort the images of ${list(flat)} into class folders (${flat[0]!.name}/CLASS/…)`;
    return {
      kind: 'unclear',
      found: found(` without class folders in ${list(flat)}`),
      advice: `${advice}, ${renameAdvice}`,
    };
  }
  const missing = train.length === 0 ? 'training' : 'testing';
  const example = train.length === 0 ? 'train/' : 'test/';
  return {
    kind: 'unclear',
    found: found(` without one for ${missing}`),
    advice: `add ${example} with the same class folders, or pass ${named[0]!.name}/ itself to have it split, ${renameAdvice}`,
  };
}

/** `a`, `a and b`, `a, b and c`. */
export function listNames(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}
