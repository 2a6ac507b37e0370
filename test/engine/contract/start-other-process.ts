import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { EngineUnderTest } from '../engines.js';
import type { OtherProcess } from './other-process.js';

/** Number of steps that must not grow memory. */
export function stepsOf({ slow }: EngineUnderTest): number {
  return slow ? 400 : 2000;
}

/** Output of `other-process.ts`, unless it is ended by `signal`. */
export async function askOtherProcess(subject: EngineUnderTest, signal: AbortSignal): Promise<OtherProcess> {
  const loader = new URL('../../faults/typescript.mjs', import.meta.url).href;
  const script = fileURLToPath(new URL('other-process.ts', import.meta.url));
  const args = ['--expose-gc', '--import', loader, script, JSON.stringify(subject.options), String(stepsOf(subject))];
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    timeout: 200_000,
    signal,
  });
  return JSON.parse(stdout) as OtherProcess;
}
