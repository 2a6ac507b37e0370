import { createHash } from 'node:crypto';
import { JobError } from '../job/errors.js';
import type { Dataset, Split } from './dataset.js';

/** Images per piece of the dataset's digest; part of its definition. */
const PIECE_IMAGES = 1000;

/** Successive images of a split. */
export interface IndexRange {
  readonly start: number;
  readonly count: number;
}

const imageBytes = ([height, width, channels]: Dataset['imageShape']) => height * width * channels;

/**
 * What travels to a worker that holds these images: `count` label bytes, then the images, u8 `[count, H, W, C]`. Views
 * into the split; nothing is copied.
 * @throws RangeError when the range leaves the split.
 */
export function partBytes(split: Split, { start, count }: IndexRange): [labels: Uint8Array, images: Uint8Array] {
  if (!Number.isInteger(start) || !Number.isInteger(count) || start < 0 || count < 1 || start + count > split.count) {
    throw new RangeError(`part: expected a range within ${split.count} images, got ${count} from ${start} on`);
  }
  const size = split.images.length / split.count;
  return [split.labels.subarray(start, start + count), split.images.subarray(start * size, (start + count) * size)];
}

/**
 * Reads what a worker received: the bytes of a part. The result looks into `bytes`; nothing is copied.
 * @param classes - number of classes; labels must be below it.
 * @throws JobError BAD_DATA when the length fits no whole number of images, or a label is too large.
 */
export function decodePart(bytes: Uint8Array, imageShape: Dataset['imageShape'], classes: number): Split {
  const record = 1 + imageBytes(imageShape);
  const count = bytes.length / record;
  if (count < 1 || !Number.isInteger(count)) {
    throw new JobError(
      'BAD_DATA',
      `decode part: expected a multiple of ${record} bytes, got ${bytes.length}; send the part again`,
    );
  }
  const labels = bytes.subarray(0, count);
  const wrong = labels.findIndex((label) => label >= classes);
  if (wrong >= 0) {
    throw new JobError(
      'BAD_DATA',
      `decode part: expected labels below ${classes}, got ${labels[wrong]} for image ${wrong}; send the part again`,
    );
  }
  return { count, labels, images: bytes.subarray(count) };
}

/** Name of a part's content: SHA-256 over its bytes, hexadecimal. Workers keep parts under it. */
export function partDigest(bytes: readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  for (const piece of bytes) hash.update(piece);
  return hash.digest('hex');
}

/** Digests of parts of splits; one that is asked for again is not hashed again. */
export class PartDigests {
  readonly #known = new Map<Split, Map<string, string>>();

  of(split: Split, range: IndexRange): string {
    const known = this.#known.get(split) ?? new Map<string, string>();
    this.#known.set(split, known);
    const key = `${range.start} ${range.count}`;
    const digest = known.get(key) ?? partDigest(partBytes(split, range));
    known.set(key, digest);
    return digest;
  }
}

/** Digests of a split's successive pieces of 1,000 images. */
function pieceDigests(split: Split, parts: PartDigests): string[] {
  const digests: string[] = [];
  for (let start = 0; start < split.count; start += PIECE_IMAGES) {
    digests.push(parts.of(split, { start, count: Math.min(PIECE_IMAGES, split.count - start) }));
  }
  return digests;
}

/**
 * Digest of all of a dataset that can change a job's result: name, shape, classes, normalisation, every label and pixel.
 *
 * SHA-256 over a JSON text that holds the digests of fixed pieces, so it does not depend on the number of shards. The
 * title is left out: the same bytes are the same data. Call it before there are heartbeats to miss: about 0.1 s.
 * @param parts - digests that are known already.
 */
export function datasetDigest(dataset: Dataset, parts = new PartDigests()): string {
  const { name, imageShape, classes, normalise } = dataset;
  const content = {
    name,
    imageShape,
    classes,
    normalise: [normalise.mean, normalise.deviation],
    train: pieceDigests(dataset.train, parts),
    test: pieceDigests(dataset.test, parts),
  };
  return createHash('sha256').update(JSON.stringify(content)).digest('hex');
}
