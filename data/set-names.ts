/** Role of a set. */
export type SetRole = 'train' | 'test' | 'validation';

/** Words that name sets. */
const roleWords: readonly (readonly [RegExp, SetRole])[] = [
  [/^train(ing)?$/, 'train'],
  [/^test(ing)?$/, 'test'],
  [/^val(id(ate|ation)?)?$/, 'validation'],
];

/** Words that may accompany a set's name, as in `training_set` and `images-test`. */
const fillers = new Set(['set', 'sets', 'data', 'dataset', 'images', 'image', 'imgs', 'img', 'folder', 'split', 'seg']);

/**
 * Role of a folder by its name, such as `Train`, `test1`, `training_set`, `seg_test`, `valid`; undefined for other names,
 * such as `train station` or `invalid`.
 */
export function roleOf(name: string): SetRole | undefined {
  const words = name
    .normalize('NFC')
    .replaceAll(/(\p{Ll})(\p{Lu})/gu, '$1 $2')
    .toLowerCase()
    .split(/[\s_.\-()]+/)
    .map((word) => word.replace(/\d+$/, ''))
    .filter((word) => word !== '' && !fillers.has(word))
    .map((word) => word.replace(/(set|data|images|imgs)$/, ''));
  return words.length === 1 ? roleWords.find(([pattern]) => pattern.test(words[0]!))?.[1] : undefined;
}

/** True for names of sets that are also plausible class names: a train is a vehicle, and a coin may be valid. */
export function isAlsoWord(name: string): boolean {
  return ['train', 'valid'].includes(name.toLowerCase());
}

/** Names created by operating systems and programs, in addition to those that begin with a dot. */
const systemNames = new Set([
  '__macosx',
  '@eadir',
  '#recycle',
  '@recycle',
  '@recently-snapshot',
  '$recycle.bin',
  'system volume information',
  'lost+found',
  'thumbs.db',
  'ehthumbs.db',
  'desktop.ini',
]);

/** True for hidden entries and system files. */
export function isHidden(name: string): boolean {
  return name.startsWith('.') || systemNames.has(name.toLowerCase());
}

/** A name without control characters, which could affect a terminal. */
export function printable(name: string): string {
  return name.replaceAll(/\p{Cc}/gu, '?');
}
