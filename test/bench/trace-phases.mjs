// Time per phase of a step, from a run's timeline: medians over its steps, without the first ten.
// Usage: lockstep train --trace 200 --run RUN; node test/bench/trace-phases.mjs RUN/trace.json
import { readFileSync } from 'node:fs';
import { spread } from './stats.mjs';

const text = readFileSync(process.argv[2] ?? 'trace.json', 'utf8').trim();
// A killed run leaves the array unterminated, perhaps in mid-event.
const events = JSON.parse(text.endsWith(']') ? text : `${text.slice(0, text.lastIndexOf('\n')).replace(/,$/, '')}]`);
const spans = events.filter(({ ph }) => ph === 'X').sort((a, b) => a.ts - b.ts);
const end = ({ ts, dur }) => ts + dur;
const steps = spans.filter(({ name }) => /^step \d+$/.test(name)).slice(10);
const inside = (step, name, pid) =>
  spans.filter(
    (s) => s.name.startsWith(name) && s.ts >= step.ts - 1 && end(s) <= end(step) + 1 && (!pid || s.pid === pid),
  );

const phases = { receive: [], compute: [], send: [], reduce: [], update: [], 'whole step': [] };
const shards = [];
for (const step of steps) {
  const last = inside(step, 'send gradients')
    .sort((a, b) => end(a) - end(b))
    .at(-1);
  const received = last && inside(step, 'receive parameters', last.pid)[0];
  const [reduce] = inside(step, 'reduce');
  const [update] = inside(step, 'update');
  if (!received || !reduce || !update) continue;
  phases.receive.push(end(received) - step.ts);
  phases.compute.push(last.ts - end(received));
  phases.send.push(last.dur);
  phases.reduce.push(end(reduce) - end(last));
  phases.update.push(update.dur);
  phases['whole step'].push(step.dur);
  shards.push(...inside(step, 'shard').map(({ dur }) => dur));
}
const ms = (values) => spread(values.map((us) => us / 1e3));
for (const [phase, values] of Object.entries(phases)) console.log(`${phase.padEnd(12)} ${ms(values)} ms`);
console.log(`${'one shard'.padEnd(12)} ${ms(shards)} ms`);
