import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const requirements = join(dirname(fileURLToPath(import.meta.url)), 'requirements.txt');
const tools = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'lockstep-zig');
const windows = process.platform === 'win32';

/** Version of the pinned compiler, `0.17.1`. */
export const zigVersion = /^ziglang==(\S+)/m.exec(readFileSync(requirements, 'utf8'))[1];

/** Folder of zig's own objects, such as its runtime library for each target. */
export const zigCache = join(tools, 'cache');

/**
 * Command line of the pinned zig, installed by pip into the user's cache at first use; pip checks its hash.
 *
 * @returns the program and its first arguments
 */
export function findZig() {
  const hash = createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 12);
  const folder = join(tools, `${zigVersion}-${hash}`);
  if (!existsSync(folder)) install(folder);
  return [python(folder), '-m', 'ziglang'];
}

function python(folder) {
  return windows ? join(folder, 'Scripts', 'python.exe') : join(folder, 'bin', 'python');
}

/** Installs into a folder beside, then renames it: a folder that exists is complete. */
function install(folder) {
  const partial = `${folder}.${process.pid}.part`;
  mkdirSync(dirname(folder), { recursive: true });
  try {
    run(windows ? 'python' : 'python3', ['-m', 'venv', partial]);
    run(python(partial), ['-m', 'pip', 'install', '--quiet', '--require-hashes', '-r', requirements]);
    renameSync(partial, folder);
  } catch (cause) {
    rmSync(partial, { recursive: true, force: true });
    throw new Error(
      `native: expected zig ${zigVersion} from pip, got none; install Python 3 with venv, or check the network`,
      { cause },
    );
  }
}

function run(program, args) {
  execFileSync(program, args, { stdio: ['ignore', 'ignore', 'inherit'] });
}
