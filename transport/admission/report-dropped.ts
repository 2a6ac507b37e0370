import type { Dropped } from './admission.js';

const everyMs = 60_000;
/** Fewer dropped connections aren't logged: port scans, or workers that stopped while connecting. */
const least = 16;

/**
 * Reports once a minute how many connections were dropped before their peers authenticated, if there were many.
 * @param port - name of the port in the report.
 * @returns a function that stops it.
 */
export function reportDropped(port: string, dropped: () => Dropped, note: (message: string) => void): () => void {
  let noted = 0;
  const timer = setInterval(() => {
    const { count, address } = dropped();
    if (count - noted >= least) {
      const found = `${count - noted} dropped in the last minute, the latest from ${address}`;
      note(`${port}: expected connections to authenticate, got ${found}; the run isn't affected`);
    }
    noted = count;
  }, everyMs).unref();
  return () => clearInterval(timer);
}
