import { mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { chunkFields, storeChunk } from '../../proto/chunks.js';
import { SharedFile, withBytes } from '../../proto/shared-file.js';
import type { ToEngine } from '../../worker/engine-thread.js';
import { until } from '../until.js';
import { manifest, Talk } from './talk.js';

describe('a worker', () => {
  it('takes parameters from the file that it shares with the coordinator, and leaves its gradient there', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'lockstep-session-'));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    const fd = openSync(join(directory, 'file'), 'wx+');
    const talk = await Talk.welcomed({}, new SharedFile(fd, 'worker'));
    const file = new SharedFile(fd, 'coordinator');
    file.begin(manifest.parameterCount);
    const [vector, gradient] = [1, -1].map((sign) =>
      Float32Array.from({ length: manifest.parameterCount }, (_, i) => sign * i),
    );
    const node = { first: 0, count: 1 };
    await talk.say({ compute: { term: 7, step: 3, generation: 1, nodes: [node], wide: 0 } });
    for (const chunk of [0, 1]) {
      const sent = file.put(chunkFields(vector!, chunk));
      expect(sent.shared).toMatchObject({ index: chunk });
      await talk.say({ parameters: { term: 7, step: 3, evaluation: false, ...sent } });
    }
    const got = () => talk.engine.posted.find((message) => message.kind === 'vector');
    await until(() => got() !== undefined, 5_000, 'the vector');
    expect((got() as ToEngine & { kind: 'vector' }).values).toEqual(vector);
    talk.engine.say({ kind: 'partial', step: 3, node, gradient: gradient!.slice(), reports: [], used: [] });
    const result = new Float32Array(manifest.parameterCount);
    for (let chunk = 0; chunk < 2; chunk++) {
      const { partial } = await talk.next('partial');
      expect([partial.data.byteLength, partial.shared?.index]).toEqual([0, chunk]);
      storeChunk(result, withBytes(file, partial, 'test'), 'test');
    }
    expect(result).toEqual(gradient);
    await talk.say({ finish: { reason: 'done' } });
    await talk.outcome();
    file.close();
  });
});
