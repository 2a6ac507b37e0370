// npm run bench:paths: gain of each special path (docs/decisions/0012, 0013, 0015) on a whole job: cluster-cnn3 on two
// workers, as it is and without the path, in turns. Runs the built `lockstep` command; Linux only, for processor times.
// Usage: npm run bench:paths -- [--only NAME,...] [--epochs N] [--workers N] [--shards N] [--synthetic] [--json]
//   [--against DIRECTORY]
import { parseArgs } from 'node:util';
import { alternate } from './alternate.mjs';
import { job } from './job.mjs';
import { machine, median, spread } from './stats.mjs';

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    epochs: { type: 'string', default: '6' },
    workers: { type: 'string', default: '2' },
    shards: { type: 'string', default: '5' },
    synthetic: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    // Another checkout of Lockstep, built: compares this one with it instead.
    against: { type: 'string' },
  },
});
const { epochs, workers, shards, synthetic } = options;
const run = (change) => job({ epochs, workers, shards, synthetic, ...change });

const withoutExtraThreads = new URL('./without-extra-threads.mjs', import.meta.url).href;
/** The two contestants of each comparison: with the path, and without. */
const comparisons = options.against
  ? { 'this build over the other': [{}, { checkout: options.against }] }
  : {
      'local-transport': [{}, { flags: ['--no-shared-memory'] }],
      'huge-pages': [{}, { env: { GLIBC_TUNABLES: 'glibc.malloc.hugetlb=0' } }],
      'extra-threads': [{}, { env: { NODE_OPTIONS: `--import=${withoutExtraThreads}` } }],
    };

async function compare(name, full, without) {
  const [as, less] = await alternate(run(full), run(without));
  const gain = 1 - median(as.steps) / median(less.steps);
  say(`\n${name}: gain of the median step ${(gain * 100).toFixed(1)} %  (kept from 5 % on)`);
  for (const [label, { steps, coordinator, workers }] of Object.entries({ with: as, without: less })) {
    const processor = `coordinator ${spread(coordinator)}, workers ${spread(workers)}`;
    say(`  ${label.padEnd(8)} step ${spread(steps)} ms; processor ms per step: ${processor}`);
  }
  return { name, gain, with: as, without: less };
}

const say = options.json ? () => undefined : console.log;
const chosen = options.only?.split(',') ?? Object.keys(comparisons);
say(`${machine()}\ncluster-cnn3, ${shards} shards of 49, ${workers} workers`);
const results = [];
for (const name of chosen) {
  if (!comparisons[name]) throw new Error(`--only: expected ${Object.keys(comparisons).join(', ')}, got ${name}`);
  results.push(await compare(name, ...comparisons[name]));
}
if (options.json) console.log(JSON.stringify(results, null, 2));
