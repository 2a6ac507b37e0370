import { expect, test } from 'vitest';
import { completesWithin, within } from '../../util/deadline.js';

const never = new Promise<never>(() => undefined);
const expired = () => new Error('too late');

test('settles as the work does, if that is in time', async () => {
  await expect(within(Promise.resolve(3), 10_000, expired)).resolves.toBe(3);
  await expect(within(Promise.reject(new Error('broken')), 10_000, expired)).rejects.toThrow('broken');
  await expect(completesWithin(Promise.resolve(), 10_000)).resolves.toBe(true);
  await expect(completesWithin(Promise.reject(new Error('broken')), 10_000)).rejects.toThrow('broken');
});

test('ends when the time is up', async () => {
  await expect(within(never, 1, expired)).rejects.toThrow('too late');
  await expect(completesWithin(never, 1)).resolves.toBe(false);
});
