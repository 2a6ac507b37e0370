// One engine in a process of its own, as bench:engine and bench:gpu start it. Its protocol is that of engine_torch.py, all as JSON: a
// line that describes it, then for each number read, the times of that many steps in ms.
// Usage: node test/bench/engine-steps.mjs '{ "scenario": { "model": …, "batch": … }, "options": { "name": "native", … }
// }'
import { createInterface } from 'node:readline';
import { lockstep } from './engine-contestants.mjs';

const { scenario, options } = JSON.parse(process.argv[2]);
try {
  const { about, run } = await lockstep(scenario, { ...options, log: (message) => console.error(message) });
  await run(1);
  console.log(JSON.stringify(about));
  for await (const line of createInterface({ input: process.stdin }))
    console.log(JSON.stringify(await run(Number(line))));
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
