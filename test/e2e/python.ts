import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';

/** A Python with the packages of `test/requirements.txt`, from `LOCKSTEP_PYTHON`. */
export const python = process.env['LOCKSTEP_PYTHON'];

/** True if that Python has a package; doesn't import it. */
export function hasPythonPackage(name: string): boolean {
  const script = 'import importlib.util, sys; sys.exit(importlib.util.find_spec(sys.argv[1]) is None)';
  return python !== undefined && spawnSync(python, ['-c', script, name], { timeout: 60_000 }).status === 0;
}

/** Suffix of the titles of tests that use it. */
export const needsPython = '(needs the packages of test/requirements.txt in LOCKSTEP_PYTHON)';

/** Runs Python. @returns its standard output. @throws with its output when it fails or takes too long. */
export async function runPython(
  args: readonly string[],
  { cwd, env = {}, limitMs = 60_000 }: { cwd?: string; env?: NodeJS.ProcessEnv; limitMs?: number } = {},
): Promise<string> {
  const options = { cwd, env: { ...process.env, ...env }, timeout: limitMs, maxBuffer: 64 * 1024 * 1024 };
  return (await promisify(execFile)(python!, args, options)).stdout;
}
