import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { scratchDirectory } from '../../e2e/lockstep.js';
import { Judge } from './judge.js';
import { Subject } from './subject.js';
import { describeFailure, reportOf } from './report.js';
import { survey } from './survey.js';

const usage = `Usage: LOCKSTEP_PYTHON=VENV/bin/python npm run property -- [--count N] [--seed S] [--first I] [--minutes M] [--show]

Makes N random models (default 2000), changes each, and compares Lockstep's training with tf_keras's. --first starts
with the I-th; --minutes ends after so many; --show prints each changed model as JSON. Exit code 0 if no model fails.`;

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '2000' },
    seed: { type: 'string', default: '1' },
    first: { type: 'string', default: '0' },
    minutes: { type: 'string', default: 'Infinity' },
    show: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const python = process.env['LOCKSTEP_PYTHON'];
if (values.help || python === undefined) {
  console.log(usage);
  process.exit(values.help ? 0 : 2);
}
const scratch = scratchDirectory();
const judge = await Judge.start(python);
const subject = await Subject.create(join(scratch.path, 'model.json'));
try {
  const results = await survey({
    judge,
    subject,
    seed: Number(values.seed),
    count: Number(values.count),
    first: Number(values.first),
    limitMs: Number(values.minutes) * 60_000,
    onResult: (result) => {
      if (result.verdict.kind === 'failure') console.log(describeFailure(result));
      if (values.show) console.log(JSON.stringify(result.case.topology), result.verdict, result.case.mutations);
    },
  });
  console.log(reportOf(results));
  process.exitCode = results.every(({ verdict }) => verdict.kind !== 'failure') ? 0 : 1;
} finally {
  await judge.stop();
  scratch.remove();
}
