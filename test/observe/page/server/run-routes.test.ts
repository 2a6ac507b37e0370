import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { runRoutes } from '../../../../observe/page/server/run-routes.js';
import { Site } from '../../../../observe/page/server/site.js';
import { sampleRun } from '../../sample-run.js';

it('begins no stream for a request whose answer has no body, as nobody would read it to its end', async () => {
  const scratch = mkdtempSync(join(tmpdir(), 'lockstep-routes-'));
  onTestFinished(() => rmSync(scratch, { recursive: true, force: true }));
  const { view, status } = sampleRun(scratch, { steps: 5 });
  const routes = runRoutes(new Site(view, status));
  for (let n = 0; n < 40; n++) {
    const head = await routes.request('/api/events', { method: 'HEAD' });
    expect([head.status, head.headers.get('Allow')]).toEqual([405, 'GET']);
  }
  const reading = await routes.request('/api/events');
  expect(reading.status).toBe(200);
  await reading.body?.cancel();
});
