import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { hue, paintFile } from './image-files.js';

export const format = { height: 6, width: 8, channels: 3, fit: 'cover' } as const;
export const options = { format, testShare: 0.25 };
export const red = [180, 20, 20];
export const blue = [20, 20, 180];

/** An empty folder, removed after the test. */
export async function emptyFolder(): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'lockstep-folder-'));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  return root;
}

/** Writes `count` images of one hue into a folder, PNG and JPEG in turns. */
export async function paintClass(folder: string, color: readonly number[], count: number): Promise<void> {
  for (let k = 0; k < count; k++) await paintFile(folder, `${k}.${k % 2 ? 'jpg' : 'png'}`, hue(color, k));
}
