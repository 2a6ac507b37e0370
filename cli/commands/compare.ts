import { resolve } from 'node:path';
import { Command } from 'commander';
import { readComparedRuns } from '../../run/history/compared-run.js';
import { writeWhole } from '../../run/write-file.js';
import { JobError } from '../../job/errors.js';

/** `lockstep compare`: runs side by side in one page. */
export function compareCommand(): Command {
  return new Command('compare')
    .description('draw runs side by side in one HTML page: loss, accuracy, results, differences, digests')
    .argument('<run...>', 'run directories, 2 to 12; the others are compared to the first')
    .option('--out <file>', 'the page', 'compare.html')
    .addHelpText('after', '\nTo compare two runs to the last bit on the command line: lockstep verify RUN_A RUN_B\n')
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
        throw new JobError('BAD_OPTION', `--out: expected a file that can be written, got ${message}`, { cause });
      });
      console.log(`Comparison of ${runs.length} runs: ${out}`);
    });
}
