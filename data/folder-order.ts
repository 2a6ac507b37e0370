import { createHash } from 'node:crypto';

/** An image file and its class. */
export interface LabelledFile {
  /** As used in messages and hashes: relative to the folder, with `/`. */
  readonly path: string;
  /** Index of its class. */
  readonly label: number;
}

/**
 * Splits images into training and test set by their paths alone, so that an added image moves no other between sets.
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
 * Sorts images by the hashes of their paths: as good as shuffled, and the same everywhere. Shards are equal runs of
 * this order, so each has the classes mixed, and their sizes differ by at most one image.
 */
export function inHashOrder(files: readonly LabelledFile[]): LabelledFile[] {
  return files
    .map((file) => ({ file, hash: pathHash('order', file.path) }))
    .sort((a, b) => Buffer.compare(a.hash, b.hash))
    .map(({ file }) => file);
}

/** Hash of a path, normalised, as file systems encode accented letters differently. */
function pathHash(purpose: 'order' | 'split', path: string): Buffer {
  return createHash('sha256')
    .update(`${purpose}\n${path.normalize('NFC')}`)
    .digest();
}
