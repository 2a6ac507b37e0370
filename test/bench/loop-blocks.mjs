// Loaded into a process, on Linux: prints each new maximum of the time for which its event loop was blocked, as a line
// on standard error. It counts the main thread's own CPU time between two turns of the loop: waiting for a core on a
// busy machine is not the program's doing.
import { openSync, readSync } from 'node:fs';

const tickMs = 5;
/** Loading the program's modules is not counted. */
const startMs = 3_000;
const file = openSync(`/proc/self/task/${process.pid}/schedstat`, 'r');
const buffer = Buffer.alloc(128);

/** CPU time of the main thread, in milliseconds. */
function cpuMs() {
  const length = readSync(file, buffer, 0, buffer.length, 0);
  return Number(buffer.toString('latin1', 0, length).split(' ')[0]) / 1e6;
}

let before = cpuMs();
let longest = 20;
setInterval(() => {
  const now = cpuMs();
  const heldMs = now - before;
  before = now;
  if (heldMs <= longest || performance.now() < startMs) return;
  longest = heldMs;
  console.error(JSON.stringify({ heldMs: Math.round(heldMs), atMs: Math.round(performance.now()) }));
}, tickMs).unref();
