// Children, processor time and memory of a process. Linux only: elsewhere there are no children, and 0 of both.
import { readFileSync, readdirSync } from 'node:fs';

/** Ids of a process's children. */
export function childrenOf(pid) {
  return (read(`/proc/${pid}/task/${pid}/children`) ?? '').trim().split(' ').filter(Boolean).map(Number);
}

/** Processor time so far of all threads of a process that still run, in ms. */
export function processorMs(pid) {
  const nanoseconds = threadsOf(pid).map((id) => Number(read(`/proc/${pid}/task/${id}/schedstat`)?.split(' ')[0] ?? 0));
  return nanoseconds.reduce((a, b) => a + b, 0) / 1e6;
}

/** Resident memory in MB. */
export function residentMb(pid) {
  return Number(/VmRSS:\s+(\d+)/.exec(read(`/proc/${pid}/status`) ?? '')?.[1] ?? 0) / 1000;
}

function threadsOf(pid) {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
