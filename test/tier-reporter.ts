import { appendFileSync } from 'node:fs';
import type { Reporter, TestCase, TestModule, Vitest } from 'vitest/node';

const noReason = 'something that their titles do not name';

/**
 * Reports skipped tests at the end of a run, one line per missing tool, so that nothing is skipped silently.
 *
 * A title names the tool: "(needs nats-server)". If `LOCKSTEP_TEST_COUNTS` names a file, a line of JSON with the
 * numbers of passed, failed and skipped tests is appended to it, so that a script can sum several runs.
 */
export class TierReporter implements Reporter {
  #vitest: Vitest | undefined;

  onInit(vitest: Vitest): void {
    this.#vitest = vitest;
  }

  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const count = (state: string) => tests.filter((test) => test.result().state === state).length;
    const broken = modules.filter((module) => module.errors().length > 0).length + errors.length;
    const counts = { passed: count('passed'), failed: count('failed') + broken, skipped: count('skipped') };
    // Tests that `-t` leaves out count as skipped too.
    if (this.#vitest?.getGlobalTestNamePattern() === undefined) {
      for (const line of describeSkipped(tests)) console.log(line);
    }
    const file = process.env['LOCKSTEP_TEST_COUNTS'];
    if (file !== undefined) appendFileSync(file, `${JSON.stringify(counts)}\n`);
  }
}

/** Lines such as "skipped: 12 tests need nats-server". */
function describeSkipped(tests: readonly TestCase[]): string[] {
  const byNeed = new Map<string, number>();
  for (const test of tests) {
    if (test.result().state !== 'skipped') continue;
    const need = [...test.fullName.matchAll(/\(needs (.+?)\)/g)].at(-1)?.[1];
    if (need === undefined && test.module.state() === 'failed') continue; // Its hook failed, which is reported.
    byNeed.set(need ?? noReason, (byNeed.get(need ?? noReason) ?? 0) + 1);
  }
  const lines = [...byNeed].map(([need, n]) => `skipped: ${n} ${n === 1 ? 'test needs' : 'tests need'} ${need}`);
  return lines.sort();
}
