import type { Hash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { checkFileSize, RECORD_BYTES } from './cifar10-format.js';
import { type UnpackTarget, unpackRecords } from './cifar10-records.js';

/** Records per read: 1.5 MB, which stays in the processor's cache until it is unpacked. */
const PIECE_RECORDS = 500;

/** Reads batch files piece by piece into two buffers: the next piece is read while one is unpacked. */
export class BatchFileReader {
  readonly #buffers = [new Uint8Array(PIECE_RECORDS * RECORD_BYTES), new Uint8Array(PIECE_RECORDS * RECORD_BYTES)];

  /**
   * Unpacks a batch file into `target`, whose length determines the number of records.
   * @param hash - updated with the file's bytes.
   * @throws JobError BAD_DATA for a wrong size or a label over 9; `target` is then partly written.
   */
  async read(path: string, target: UnpackTarget, hash?: Hash): Promise<void> {
    const file = await open(path);
    try {
      await this.#unpack(file, path, target, hash);
    } finally {
      await file.close();
    }
  }

  async #unpack(file: FileHandle, path: string, target: UnpackTarget, hash: Hash | undefined): Promise<void> {
    const count = target.labels.length;
    const pieces = Math.ceil(count / PIECE_RECORDS);
    const begin = (piece: number) => (piece < pieces ? this.#readPiece(file, path, piece, count) : undefined);
    for (let piece = 0, next = begin(0); piece < pieces; piece++) {
      const records = (await next)!;
      next = begin(piece + 1);
      // Not awaited if unpacking fails.
      next?.catch(() => undefined);
      hash?.update(records);
      unpackRecords(path, records, target, piece * PIECE_RECORDS);
    }
  }

  async #readPiece(file: FileHandle, path: string, piece: number, count: number): Promise<Uint8Array> {
    const first = piece * PIECE_RECORDS;
    const length = Math.min(PIECE_RECORDS, count - first) * RECORD_BYTES;
    const buffer = this.#buffers[piece % this.#buffers.length]!;
    for (let have = 0; have < length;) {
      const position = first * RECORD_BYTES + have;
      const { bytesRead } = await file.read(buffer, have, length - have, position);
      // The file was truncated after its size was checked.
      if (bytesRead === 0) checkFileSize(path, position, count);
      have += bytesRead;
    }
    return buffer.subarray(0, length);
  }
}
