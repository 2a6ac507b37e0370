import { mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { SharedFile, sharedFields } from '../../proto/shared-file.js';
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
    file.begin(manifest.parameterCount + manifest.stateCount);
    const [vector, gradient] = [1, -1].map((sign) =>
      Float32Array.from({ length: manifest.parameterCount }, (_, i) => sign * i),
    );
    const node = { first: 0, count: 1 };
    await talk.say({ compute: { term: 7, step: 3, generation: 1, nodes: [node], wide: 0, sentMs: 5 } });
    const shared = file.put(vector!)!;
    await talk.say({ parameters: { term: 7, step: 3, evaluation: false, ...sharedFields(shared) } });
    const got = () => talk.engine.posted.find((message) => message.kind === 'vector');
    await until(() => got() !== undefined, 5_000, 'the vector');
    expect((got() as ToEngine & { kind: 'vector' }).values).toEqual(vector);
    talk.engine.say({ kind: 'partial', step: 3, node, gradient: gradient!.slice(), reports: [], used: [] });
    const result = new Float32Array(manifest.parameterCount);
    const { partial } = await talk.next('partial');
    expect(partial).toMatchObject({ chunk: 0, chunks: 2, shared: { index: 0 }, stamps: { orderSentMs: 5 } });
    expect(partial.data).toHaveLength(0);
    file.take(partial.shared!, result, 'test');
    expect(result).toEqual(gradient);
    await talk.say({ finish: { reason: 'done' } });
    await talk.outcome();
    file.close();
  });
});
