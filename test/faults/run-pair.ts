import { scratchDirectory } from '../e2e/lockstep.js';
import { ScriptedRun } from './scripted-run.js';

/** Two runs of one job: an undisturbed one, and one to be attacked that must reach the same digest. */
export interface RunPair {
  readonly quietDigest: string;
  /** Started, and waiting at step 0. */
  readonly run: ScriptedRun;
  close(): Promise<void>;
}

export async function startPair(): Promise<RunPair> {
  const scratch = scratchDirectory();
  const quiet = await ScriptedRun.start(`${scratch.path}/quiet`);
  const quietDigest = await quiet.finish().finally(() => quiet.close());
  const run = await ScriptedRun.start(`${scratch.path}/attacked`);
  const close = async () => {
    await run.close();
    scratch.remove();
  };
  return { quietDigest, run, close };
}
