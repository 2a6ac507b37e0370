import type { Hash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { checkFileSize, RECORD_BYTES } from './cifar10-format.js';
import { type UnpackTarget, unpackRecords } from './cifar10-records.js';

/** Records read at a time: 1.5 MB, which is still in the processor's cache when it is unpacked. */
const PIECE_RECORDS = 500;

/** Reads batch files piece by piece, the next one while one is unpacked, always into the same two buffers. */
export class BatchFileReader {
  readonly #buffers = [new Uint8Array(PIECE_RECORDS * RECORD_BYTES), new Uint8Array(PIECE_RECORDS * RECORD_BYTES)];

  /**
   * Unpacks a batch file into `target`, which says how many records it has.
   * @param hash - updated with the file's bytes, if given.
   * @throws JobError BAD_DATA on a wrong size or a label over 9; `target` is then partly written.
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
      // Should unpacking fail, nobody waits for it.
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
      // It had the right size a moment ago.
      if (bytesRead === 0) checkFileSize(path, position, count);
      have += bytesRead;
    }
    return buffer.subarray(0, length);
  }
}
