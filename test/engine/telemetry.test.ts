import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';

it('runs models without the telemetry of ONNX Runtime, which would keep a database in the home directory', () => {
  const home = mkdtempSync(join(tmpdir(), 'lockstep-home-'));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  const { PATH } = process.env;
  const script = `
    const { createEngine } = await import('./dist/engine/create.js');
    const { info } = await createEngine({ name: 'onnx', threads: 1, device: 'cpu' });
    console.log(info.lowering);`;
  const args = ['--input-type=module', '--eval', script];
  const lowering = execFileSync(process.execPath, args, {
    env: { PATH, HOME: home },
    encoding: 'utf8',
    timeout: 15_000,
  });
  expect(lowering).toBe('im2col\n');
  expect(readdirSync(home)).toEqual([]);
});
