// Contestants of a benchmark in turns, so that the machine's changes of speed meet all of them alike.
import { childrenOf } from './processes.mjs';

/** Length of one turn. */
const blockMs = 2_000;

/**
 * Runs several things in turns of two seconds and stops the others meanwhile: the machine's speed changes within
 * minutes, and this way it changes for all of them alike. @returns the result of each.
 */
export async function alternate(...contestants) {
  const runs = contestants.map((begin) => ({ begin, children: [], result: undefined, over: false }));
  const killAll = () => runs.forEach((run) => signal(run, 'SIGKILL'));
  // A stopped process would never end.
  process.on('exit', killAll);
  while (runs.some(({ over }) => !over)) {
    for (const run of runs.filter(({ over }) => !over)) {
      if (run.result) signal(run, 'SIGCONT');
      else run.result = run.begin((child) => run.children.push(child)).finally(() => (run.over = true));
      await Promise.race([run.result, new Promise((resolve) => setTimeout(resolve, blockMs))]);
      if (!run.over) signal(run, 'SIGSTOP');
    }
  }
  process.off('exit', killAll);
  return Promise.all(runs.map(({ result }) => result));
}

function signal({ children }, name) {
  const running = children.filter(({ exitCode }) => exitCode === null);
  for (const pid of running.flatMap((child) => [...childrenOf(child.pid), child.pid])) {
    try {
      process.kill(pid, name);
    } catch {
      // Already ended.
    }
  }
}
