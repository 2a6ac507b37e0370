import { createHash } from 'node:crypto';
import { JobError } from '../job/errors.js';
import type { SampleRange } from '../job/plan.js';
import type { Dataset, Split } from './dataset.js';

/** Images per chunk of the dataset's digest; part of its definition. */
const DIGEST_IMAGES = 1000;

/**
 * Bytes of a dataset chunk as sent to a worker: `count` label bytes, then the images, u8 `[count, H, W, C]`. Views of
 * the split; nothing is copied.
 * @throws RangeError when the range exceeds the split.
 */
export function encodeChunk(split: Split, { start, count }: SampleRange): [labels: Uint8Array, images: Uint8Array] {
  if (!Number.isInteger(start) || !Number.isInteger(count) || start < 0 || count < 1 || start + count > split.count) {
    throw new RangeError(`chunk: expected a range within ${split.count} images, got ${count} from ${start} on`);
  }
  const size = split.images.length / split.count;
  return [split.labels.subarray(start, start + count), split.images.subarray(start * size, (start + count) * size)];
}

/**
 * Decodes a received chunk. The result is a view of `bytes`; nothing is copied.
 * @param classes - number of classes; labels must be below it.
 * @throws JobError BAD_DATA when the length is not a whole number of images, or a label is too large.
 */
export function decodeChunk(bytes: Uint8Array, imageShape: Dataset['imageShape'], classes: number): Split {
  const [height, width, channels] = imageShape;
  const record = 1 + height * width * channels;
  const count = bytes.length / record;
  if (count < 1 || !Number.isInteger(count)) {
    throw new JobError(
      'BAD_DATA',
      `decode chunk: expected a multiple of ${record} bytes, got ${bytes.length}; send the chunk again`,
    );
  }
  const labels = bytes.subarray(0, count);
  const wrong = labels.findIndex((label) => label >= classes);
  if (wrong >= 0) {
    throw new JobError(
      'BAD_DATA',
      `decode chunk: expected labels below ${classes}, got ${labels[wrong]} for image ${wrong}; send the chunk again`,
    );
  }
  return { count, labels, images: bytes.subarray(count) };
}

/** SHA-256 of a chunk's bytes, hexadecimal. Workers cache chunks by it. */
export function chunkDigest(bytes: readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  for (const piece of bytes) hash.update(piece);
  return hash.digest('hex');
}

/** Digests of chunks, each computed once. */
export class ChunkDigests {
  readonly #known = new Map<Split, Map<string, string>>();

  of(split: Split, range: SampleRange): string {
    const known = this.#known.get(split) ?? new Map<string, string>();
    this.#known.set(split, known);
    const key = `${range.start} ${range.count}`;
    const digest = known.get(key) ?? chunkDigest(encodeChunk(split, range));
    known.set(key, digest);
    return digest;
  }
}

/** Digests of a split's successive chunks of 1,000 images. */
function splitDigests(split: Split, digests: ChunkDigests): string[] {
  const found: string[] = [];
  for (let start = 0; start < split.count; start += DIGEST_IMAGES) {
    found.push(digests.of(split, { start, count: Math.min(DIGEST_IMAGES, split.count - start) }));
  }
  return found;
}

/**
 * Digest of everything in a dataset that can change a job's result: name, shape, classes, normalisation, every label
 * and pixel.
 *
 * SHA-256 of a JSON text with the digests of chunks of fixed length, so it does not depend on the number of shards. The
 * title is not included: the same bytes are the same data. Blocks the thread for about 0.1 s; call it before heartbeats
 * are due.
 * @param digests - digests computed so far.
 */
export function datasetDigest(dataset: Dataset, digests = new ChunkDigests()): string {
  const { name, imageShape, classes, normalise } = dataset;
  const content = {
    name,
    imageShape,
    classes,
    normalise: [normalise.mean, normalise.deviation],
    train: splitDigests(dataset.train, digests),
    test: splitDigests(dataset.test, digests),
  };
  return createHash('sha256').update(JSON.stringify(content)).digest('hex');
}
