// Loaded into a process by --import. Writes the longest delays of its event loop once per second, as JSON lines, to the
// file in LOOP_FILE.
import { appendFileSync, openSync, readSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';

const file = process.env['LOOP_FILE'];
if (isMainThread && file) {
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  const schedule = openSync(`/proc/self/task/${process.pid}/schedstat`, 'r');
  const line = Buffer.alloc(64);
  // Processor time of this thread, which excludes time taken by other processes.
  const cpuMs = () => Number(line.toString('latin1', 0, readSync(schedule, line, 0, 64, 0)).split(' ')[0]) / 1e6;
  let last = cpuMs();
  let longest = 0;
  setInterval(() => {
    const now = cpuMs();
    longest = Math.max(longest, now - last);
    last = now;
  }, 5).unref();
  setInterval(() => {
    appendFileSync(file, `${JSON.stringify({ delayMs: delay.max / 1e6, cpuMs: longest })}\n`);
    delay.reset();
    longest = 0;
  }, 1_000).unref();
}
