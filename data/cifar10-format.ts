import { JobError } from '../job/errors.js';

/**
 * CIFAR-10's binary version: files of 10,000 records of one label byte and 3,072 pixel bytes: a red, a green and a blue
 * plane in row-major order. Source: https://www.cs.toronto.edu/~kriz/cifar.html
 */
export const PLANE = 32 * 32;
export const IMAGE_BYTES = 3 * PLANE;
export const RECORD_BYTES = 1 + IMAGE_BYTES;
export const IMAGES_PER_FILE = 10_000;

export const TRAIN_FILES = [
  'data_batch_1.bin',
  'data_batch_2.bin',
  'data_batch_3.bin',
  'data_batch_4.bin',
  'data_batch_5.bin',
];
export const TEST_FILE = 'test_batch.bin';
export const BATCH_FILES: readonly string[] = [...TRAIN_FILES, TEST_FILE];
export const NAMES_FILE = 'batches.meta.txt';
export const ARCHIVE_NAME = 'cifar-10-binary.tar.gz';
/** SHA-256 of the official archive, 170,052,171 bytes, whose MD5 is published on the page above. */
export const OFFICIAL_SHA256 = 'c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd';
/** MD5 of the official archive. Only markers of earlier versions contain it; no file is checked against it. */
export const OFFICIAL_MD5 = 'c32a1d4ab5d03f1284b67883e8d87530';
/** The folder inside the official archive. */
export const FOLDER = 'cifar-10-batches-bin';

export const CLASSES: readonly string[] = [
  'airplane',
  'automobile',
  'bird',
  'cat',
  'deer',
  'dog',
  'frog',
  'horse',
  'ship',
  'truck',
];

/** Checks the size of a batch file. @param where - the file's name. @throws JobError BAD_DATA */
export function checkFileSize(where: string, bytes: number, images: number): void {
  const expected = images * RECORD_BYTES;
  if (bytes === expected) return;
  const whole = Math.floor(bytes / RECORD_BYTES);
  throw new JobError(
    'BAD_DATA',
    `read CIFAR-10: expected ${expected} bytes (${images} records of ${RECORD_BYTES}), got ${bytes}; ` +
      `${where} ends in record ${whole}; copy or download it again`,
  );
}

/**
 * Class names from `batches.meta.txt`, one per line.
 * @throws JobError BAD_DATA unless there are ten different names.
 */
export function parseClassNames(where: string, text: string): string[] {
  const names = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  if (names.length === CLASSES.length && new Set(names).size === names.length) return names;
  throw new JobError(
    'BAD_DATA',
    `read CIFAR-10: expected ${CLASSES.length} different class names, got ${names.length} lines; ${where}; ` +
      'copy it again, or delete it to use the official names',
  );
}
