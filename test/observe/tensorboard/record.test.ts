import { expect, it } from 'vitest';
import { frameRecord, maskedCrc } from '../../../observe/tensorboard/record.js';

it('frames a record as TensorBoard does: 24 bytes begin with the twelve of every event file', () => {
  const record = frameRecord(Buffer.alloc(24, 'x'));
  expect(record.subarray(0, 12).toString('hex')).toBe('1800000000000000a37f4b22');
  expect(record).toHaveLength(8 + 4 + 24 + 4);
  expect(record.subarray(12, 36).toString()).toBe('x'.repeat(24));
  expect(record.readUInt32LE(36)).toBe(maskedCrc(Buffer.alloc(24, 'x')));
});

it('masks the CRC-32C of nothing, which is 0, to the constant of the format', () => {
  expect(maskedCrc(new Uint8Array(0))).toBe(0xa282ead8);
});
