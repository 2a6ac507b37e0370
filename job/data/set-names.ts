/** Purpose that a folder's name tells: a set for training, for testing, or for validation. */
export type SetRole = 'train' | 'test' | 'validation';

/** Words by which sets are called. */
const roleWords: readonly (readonly [RegExp, SetRole])[] = [
  [/^train(ing)?$/, 'train'],
  [/^test(ing)?$/, 'test'],
  [/^val(id(ate|ation)?)?$/, 'validation'],
];

/** Words that may stand next to those, as in `training_set` and `images-test`. */
const fillers = new Set(['set', 'sets', 'data', 'dataset', 'images', 'image', 'imgs', 'img', 'folder', 'split', 'seg']);

/**
 * The set that a folder is by its name, such as `Train`, `test1`, `training_set`, `seg_test`, `valid`; undefined for all
 * other names, such as `train station` or `invalid`.
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

/** Names that tell a set, but also are words for things: a train is a vehicle, and a coin may be valid. */
export function isAlsoWord(name: string): boolean {
  return ['train', 'valid'].includes(name.toLowerCase());
}

/** Folders and files that systems and programs leave in a folder without anyone's wish; those with a dot are more. */
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

/** Whether an entry is hidden, or a system's own. */
export function isHidden(name: string): boolean {
  return name.startsWith('.') || systemNames.has(name.toLowerCase());
}

/** A name without control characters, which could change what a terminal shows. */
export function printable(name: string): string {
  return name.replaceAll(/\p{Cc}/gu, '?');
}
