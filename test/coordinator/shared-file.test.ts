import { mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { SharedFile } from '../../proto/shared-file.js';
import { within } from '../proto/wire.js';
import { smallManifest } from './manifest.js';
import { leaf, ordered, Rig, samples, values } from './rig.js';

/** A file that the coordinator shares with a worker; the worker's end. */
function sharedWith(rig: Rig, workerId: string): SharedFile {
  const file = unrelatedFile();
  rig.sharedFiles.set(workerId, new SharedFile(file.fd, 'coordinator'));
  return file;
}

function unrelatedFile(): SharedFile {
  const directory = mkdtempSync(join(tmpdir(), 'lockstep-shared-'));
  const file = new SharedFile(openSync(join(directory, 'file'), 'wx+'), 'worker');
  onTestFinished(() => {
    file.close();
    rmSync(directory, { recursive: true });
  });
  return file;
}

describe('a coordinator', () => {
  it('finds the bytes in the file that it shares with one of two workers, also when that joins anew', async () => {
    const rig = await Rig.start(smallManifest(3));
    const file = sharedWith(rig, 'a');
    for (const step of [0, 1]) {
      file.begin(rig.params.length);
      const [a, b] = await rig.workers('a', 'b');
      const before = rig.params.slice();
      const { done } = rig.step(step);
      await ordered(a!, step);
      const { parameters } = await a!.next('parameters');
      expect(parameters.data).toHaveLength(0);
      const taken = new Float32Array(before.length);
      file.take(parameters.shared!, taken, 'test');
      expect(taken).toEqual(before);
      expect((await b!.next('parameters')).parameters.data).toEqual(Buffer.from(before.buffer));
      a!.sharedFile = file;
      a!.partial({ step, node: leaf(0), samples }, values(4));
      b!.partial({ step, node: leaf(1), samples }, values(8));
      expect(await within(done, 'the step')).toMatchObject({ kind: 'committed' });
      // 1 − 0.5 · (8 + 4) / 4 samples
      expect([...rig.params]).toEqual([...before.map((value) => value - 1.5)]);
      for (const worker of [a!, b!]) worker.end();
      for (const workerId of ['a', 'b']) await rig.until(() => !rig.roster.get(workerId), 'the end of a session');
    }
    expect(rig.reasonOf('a', 'lost')).toBe('its connection ended');
  });

  it('ends the session of a worker that names a shared file where there is none', async () => {
    const rig = await Rig.start(smallManifest(3));
    const [a] = await rig.workers('a');
    rig.step(0);
    await ordered(a!, 0);
    a!.sharedFile = unrelatedFile();
    a!.sharedFile.begin(rig.params.length);
    a!.partial({ step: 0, node: { first: 0, count: 2 }, samples }, values(4));
    expect(await a!.ended).toMatchObject({
      code: 'BAD_MESSAGE',
      message: 'partial from a: expected bytes, got a place in a file that is not shared',
    });
  });
});
