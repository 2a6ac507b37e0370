import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create } from 'tar';
import { onTestFinished } from 'vitest';
import { BATCH_FILES, FOLDER, PLANE, RECORD_BYTES } from '../../data/cifar10-format.js';

/** Records per file of the small copies that these tests make. */
export const SMALL = 3;

/** A directory that is removed after the test. */
export async function temporaryDirectory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'lockstep-data-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

/** Pixel values that encode file, record, plane and position. */
export function pixel(file: number, record: number, plane: number, place: number): number {
  return (file * 91 + record * 53 + plane * 101 + place * 7 + (place >> 5)) & 255;
}

/** One batch file of three records with labels `file`, `file + 1`, `file + 2`. */
export function smallBatch(file: number): Buffer {
  const bytes = Buffer.alloc(SMALL * RECORD_BYTES);
  for (let record = 0; record < SMALL; record++) {
    bytes[record * RECORD_BYTES] = file + record;
    for (let at = 0; at < 3 * PLANE; at++) {
      bytes[record * RECORD_BYTES + 1 + at] = pixel(file, record, Math.floor(at / PLANE), at % PLANE);
    }
  }
  return bytes;
}

/** Writes a small CIFAR-10 of six files into a new `cifar-10-batches-bin`; returns that folder. */
export async function writeSmallCifar10(directory: string): Promise<string> {
  const folder = join(directory, FOLDER);
  await mkdir(folder, { recursive: true });
  await Promise.all(BATCH_FILES.map((name, file) => writeFile(join(folder, name), smallBatch(file))));
  return folder;
}

/** Packs a small CIFAR-10 as the official archive is packed; returns the archive's path. */
export async function writeSmallArchive(directory: string): Promise<string> {
  const source = join(directory, 'source');
  await writeSmallCifar10(source);
  const file = join(directory, 'cifar-10-binary.tar.gz');
  await create({ file, cwd: source, gzip: true, portable: true }, [FOLDER]);
  return file;
}
