import { resolve } from 'node:path';
import { Command } from 'commander';
import { readComparedRuns } from '../../run/history/compared-run.js';
import { writeWhole } from '../../run/write-file.js';
import { JobError } from '../../job/errors.js';

/** `lockstep compare`: writes a page that shows runs side by side. */
export function compareCommand(): Command {
  return new Command('compare')
    .description('compare runs in one HTML page: loss, accuracy, results, differences, digests')
    .argument('<run...>', '2 to 12 run directories; the first is the baseline')
    .option('--out <file>', 'HTML file to write', 'compare.html')
    .addHelpText('after', '\nTo compare the digests of two runs: lockstep verify RUN_A RUN_B\n')
    .action(async (paths: string[], { out }: { out: string }) => {
      const { mostCompared, renderComparison } = await import('../../run/report/compare-page.js');
      if (paths.length < 2 || paths.length > mostCompared) {
        const message = `compare: expected 2 to ${mostCompared} run directories, got ${paths.length}; see lockstep runs`;
        throw new JobError('BAD_OPTION', message);
      }
      const runs = await readComparedRuns(paths, Date.now());
      const { loadRenderer } = await import('../../run/report/render.js');
      const page = renderComparison(runs, await loadRenderer());
      await writeWhole(resolve(out), page).catch((cause: Error) => {
        const { message } = (cause.cause ?? cause) as Error;
        throw new JobError('BAD_OPTION', `--out: expected a writable file, got ${message}`, { cause });
      });
      console.log(`Comparison of ${runs.length} runs: ${out}`);
    });
}
