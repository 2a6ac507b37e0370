import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { scratchDirectory } from '../e2e/lockstep.js';
import { hasPythonPackage, python } from '../e2e/python.js';
import { Judge } from './property/judge.js';
import { reportOf } from './property/report.js';
import { Subject } from './property/subject.js';
import { survey } from './property/survey.js';

/** LOCKSTEP_MODELS sets the number of models, LOCKSTEP_MODEL_SEED chooses others. `npm run property` is the same. */
const count = Number(process.env['LOCKSTEP_MODELS'] ?? 150);
const seed = Number(process.env['LOCKSTEP_MODEL_SEED'] ?? 1);
const modelLimitMs = 5_000;
const hasJudge = hasPythonPackage('tf_keras');
const title = 'models whose JSON is changed at random (needs tf_keras in LOCKSTEP_PYTHON)';

describe.skipIf(!hasJudge)(title, () => {
  const scratch = scratchDirectory();
  let judge: Judge;

  beforeAll(async () => {
    judge = await Judge.start(python!);
  });
  afterAll(async () => {
    await judge?.stop();
    scratch.remove();
  });

  it(
    `train as with tf_keras or are refused, and neutral changes train (${count} models, seed ${seed})`,
    async () => {
      const subject = await Subject.create(join(scratch.path, 'model.json'));
      const results = await survey({ judge, subject, seed, count });
      const report = reportOf(results);
      console.log(report.split('\n').slice(0, 3).join('\n'));
      const failures = results.filter(({ verdict }) => verdict.kind === 'failure');
      expect(failures.length, report).toBe(0);
      const trained = results.filter(({ verdict }) => verdict.kind === 'same');
      expect(trained.length / results.length).toBeGreaterThan(0.1);
    },
    count * modelLimitMs,
  );
});
