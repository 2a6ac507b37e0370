import { isAlsoWord, roleOf, type SetRole } from './set-names.js';

/** A folder next to others, as far as its use shows in it. */
export interface Candidate {
  readonly name: string;
  /** Whether it holds folders; those of a set are its classes. */
  readonly hasFolders: boolean;
  /** Whether it holds images itself. */
  readonly hasImages: boolean;
}

/** A folder that is not read, and the reason. */
export interface NotRead {
  readonly name: string;
  readonly reason: string;
}

/** The use of the folders that lie in an image folder. */
export type Layout =
  | { readonly kind: 'classes' }
  | { readonly kind: 'sets'; readonly train: string; readonly test: string; readonly notRead: readonly NotRead[] }
  /** Names that look like sets, but not which is which. */
  | { readonly kind: 'unclear'; readonly found: string; readonly advice: string };

const renameAdvice = 'or rename the folders if they are classes';

/**
 * Tells sets from classes by names and contents.
 *
 * A set is called like one and holds class folders. Next to a set for training, the one for testing is `test`, or else
 * the one for validation. Folders that are called like sets but can't be used as such are never taken as classes, as the
 * network would learn to tell sets apart.
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

/** A class may be called train or valid: it holds images itself, and there is no other folder called like a set. */
function areWords(named: readonly Candidate[], folders: readonly Candidate[]): boolean {
  const [only] = named;
  return named.length === 1 && folders.length > 1 && only!.hasImages && isAlsoWord(only!.name);
}

function isSet({ hasFolders }: Candidate): boolean {
  return hasFolders;
}

function sets(train: Candidate, test: Candidate, folders: readonly Candidate[]): Layout {
  const others = folders.filter((folder) => folder !== train && folder !== test);
  const notRead = others.map((folder) => ({ name: folder.name, reason: reasonNotRead(folder, test) }));
  return { kind: 'sets', train: train.name, test: test.name, notRead };
}

function reasonNotRead(folder: Candidate, test: Candidate): string {
  if (roleOf(folder.name) === undefined) return 'neither for training nor for testing by its name';
  if (!isSet(folder)) return 'without class folders';
  return `${test.name}/ is the one for testing`;
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
      advice: `leave one of ${several} here and move the rest elsewhere, ${renameAdvice}`,
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
    advice: `add ${example} with the same class folders, or name ${named[0]!.name}/ itself as the data to divide it, ${renameAdvice}`,
  };
}

/** `a`, `a and b`, `a, b and c`. */
export function listNames(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}
