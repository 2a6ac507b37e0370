import { createHash } from 'node:crypto';

/** An image file and its class. */
export interface LabelledFile {
  /** As messages and hashes have it: relative to the folder, with `/`. */
  readonly path: string;
  /** Index of its class. */
  readonly label: number;
}

/**
 * Divides images into training and test by their paths alone, so that one more image moves no other from set to set.
 */
export function splitByHash(
  files: readonly LabelledFile[],
  testShare: number,
): { readonly train: LabelledFile[]; readonly test: LabelledFile[] } {
  const isTest = ({ path }: LabelledFile) => pathHash('split', path).readUInt32BE() < testShare * 2 ** 32;
  const ordered = inHashOrder(files);
  return { train: ordered.filter((file) => !isTest(file)), test: ordered.filter(isTest) };
}

/**
 * In the order of their paths' hashes: as good as shuffled, the same everywhere. Shards are equal runs of it, so each
 * has the classes mixed, and none has more than one image more than another.
 */
export function inHashOrder(files: readonly LabelledFile[]): LabelledFile[] {
  return files
    .map((file) => ({ file, hash: pathHash('order', file.path) }))
    .sort((a, b) => Buffer.compare(a.hash, b.hash))
    .map(({ file }) => file);
}

/** File systems differ in how they write accented letters. */
function pathHash(purpose: 'order' | 'split', path: string): Buffer {
  return createHash('sha256')
    .update(`${purpose}\n${path.normalize('NFC')}`)
    .digest();
}
