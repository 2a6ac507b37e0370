import { createHash } from 'node:crypto';

/** An image file and its class. */
export interface LabelledFile {
  /** Relative to the folder, with `/`; used in messages and hashes. */
  readonly path: string;
  /** Index of its class. */
  readonly label: number;
}

/**
 * Splits images into training and test set by their paths alone, so that adding an image moves no other between sets.
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
 * Sorts images by the hashes of their paths: a shuffle that is the same on every machine. Shards are consecutive runs of
 * it, so classes are mixed in each.
 */
export function inHashOrder(files: readonly LabelledFile[]): LabelledFile[] {
  return files
    .map((file) => ({ file, hash: pathHash('order', file.path) }))
    .sort((a, b) => Buffer.compare(a.hash, b.hash))
    .map(({ file }) => file);
}

/** Hash of a path in NFC, because file systems encode accented letters differently. */
function pathHash(purpose: 'order' | 'split', path: string): Buffer {
  return createHash('sha256')
    .update(`${purpose}\n${path.normalize('NFC')}`)
    .digest();
}
