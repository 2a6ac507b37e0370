import { JobError } from '../job/errors.js';
import { checkFileSize, CLASSES, IMAGE_BYTES, PLANE, RECORD_BYTES } from './cifar10-format.js';

/** Destination of records: `labels` `[N]`; `images` `[N, 32, 32, 3]`, aligned to four bytes. */
export interface UnpackTarget {
  readonly labels: Uint8Array;
  readonly images: Uint8Array;
}

/** Words of four pixels in one plane of a record. */
const PLANE_WORDS = PLANE / 4;
const WORDS = IMAGE_BYTES / 4;

/** Copy of one record's planes, aligned to words; a record in a file has 3,073 bytes and isn't aligned. */
const planes = new Uint8Array(IMAGE_BYTES);
const planeWords = new Uint32Array(planes.buffer);

/**
 * Unpacks a batch file: labels, and pixels turned from planes `[C, H, W]` to interleaved `[H, W, C]`.
 * @param where - the file's path, for messages.
 * @throws JobError BAD_DATA for a wrong size or a label over 9; `target` is then partly written.
 */
export function unpackBatch(where: string, file: Uint8Array, target: UnpackTarget): void {
  checkFileSize(where, file.length, target.labels.length);
  unpackRecords(where, file, target, 0);
}

/**
 * Unpacks successive records of a batch file.
 * @param first - index of the first record.
 * @throws JobError BAD_DATA for a label over 9; `target` is then partly written.
 */
export function unpackRecords(where: string, records: Uint8Array, target: UnpackTarget, first: number): void {
  const { labels, images } = target;
  const words = new Uint32Array(images.buffer, images.byteOffset, images.length / 4);
  for (let start = 0, record = first; start < records.length; start += RECORD_BYTES, record++) {
    const label = records[start]!;
    if (label >= CLASSES.length) throw badLabel(where, record, label);
    labels[record] = label;
    planes.set(records.subarray(start + 1, start + RECORD_BYTES));
    interleave(words, record * WORDS);
  }
}

/**
 * Writes the pixels of `planes` to `to`, from word `at` on, four at a time: rrrr gggg bbbb becomes rgbr gbrg brgb. Words
 * are little-endian on every supported platform. Three times as fast as byte by byte.
 */
function interleave(to: Uint32Array, at: number): void {
  for (let k = 0, word = at; k < PLANE_WORDS; k++, word += 3) {
    const r = planeWords[k]!;
    const g = planeWords[k + PLANE_WORDS]!;
    const b = planeWords[k + 2 * PLANE_WORDS]!;
    to[word] = (r & 0xff) | ((g & 0xff) << 8) | ((b & 0xff) << 16) | ((r & 0xff00) << 16);
    to[word + 1] = ((g >>> 8) & 0xff) | (b & 0xff00) | (r & 0xff0000) | ((g & 0xff0000) << 8);
    to[word + 2] = ((b >>> 16) & 0xff) | ((r >>> 16) & 0xff00) | ((g >>> 8) & 0xff0000) | (b & 0xff000000);
  }
}

function badLabel(where: string, record: number, label: number): JobError {
  return new JobError(
    'BAD_DATA',
    `read CIFAR-10: expected a label from 0 to 9, got ${label}; record ${record} of ${where}; ` +
      'this may not be the binary version of CIFAR-10; copy or download it again',
  );
}
