import { z } from 'zod';
import { OFFICIAL_MD5, OFFICIAL_SHA256, TRAIN_FILES } from './cifar10-format.js';

/** File with the SHA-256 of the unpacked files and of their archive, which reveals later changes. */
export const MARKER_NAME = 'lockstep-source.json';
const fileDigests = z.record(z.string(), z.string());
export const markerSchema = z.union([
  z.object({ archiveSha256: z.string(), sha256: fileDigests }),
  // Up to version 0.5.4. The digests of the files are SHA-256 as well.
  z.object({ archiveMd5: z.literal(OFFICIAL_MD5), sha256: fileDigests }).transform(({ sha256 }) => ({
    archiveSha256: OFFICIAL_SHA256,
    sha256,
  })),
]);
export type Marker = z.infer<typeof markerSchema>;

/** SHA-256 of `data_batch_1.bin` in a known copy whose pixels were JPEG-encoded once. */
const JPEG_COPY_FIRST_BATCH = '8da035fc1631e8ce5f25904206b8993b0f3ad02a504c0584d662e806fd76c12b';

/** Evidence of the origin of CIFAR-10 files. */
export interface Evidence {
  /** SHA-256 of the archive that the files were read from. */
  readonly archiveSha256?: string;
  readonly marker?: Marker;
  /** SHA-256 of files by name: all of them if there is a marker, otherwise at least the first batch. */
  readonly sha256: Readonly<Record<string, string>>;
}

/** Title of the dataset for reports, and the reason. Only verified files are called CIFAR-10 without qualification. */
export function decideTitle({ archiveSha256, marker, sha256 }: Evidence): { title: string; reason: string } {
  if (archiveSha256 === OFFICIAL_SHA256) return { title: 'CIFAR-10', reason: 'official archive by its SHA-256' };
  if (marker?.archiveSha256 === OFFICIAL_SHA256) {
    const changed = Object.keys(sha256).find((name) => sha256[name] !== marker.sha256[name]);
    if (changed === undefined) return { title: 'CIFAR-10', reason: 'unpacked from the official archive, unchanged' };
    return { title: 'CIFAR-10 (unverified copy)', reason: `${changed} was changed after unpacking` };
  }
  if (sha256[TRAIN_FILES[0]!] === JPEG_COPY_FIRST_BATCH) {
    return { title: 'CIFAR-10 (JPEG copy)', reason: 'first batch by its SHA-256' };
  }
  return {
    title: 'CIFAR-10 (unverified copy)',
    reason: 'neither the official archive nor unpacked from it by Lockstep',
  };
}
