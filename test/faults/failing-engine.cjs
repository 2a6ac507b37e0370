// Preloaded into a worker process: once the file named by LOCKSTEP_FAULT_FILE exists, the next shard throws, or allocates
// memory until none is left, as the file says. The file is then removed, which shows the test that the fault struck.
const { existsSync, readFileSync, rmSync } = require('node:fs');
const { isMainThread } = require('node:worker_threads');

const trigger = process.env.LOCKSTEP_FAULT_FILE;
if (!isMainThread && trigger !== undefined) {
  void import('../../dist/worker/shard-computer.js').then(({ ShardComputer }) => {
    const compute = ShardComputer.prototype.shard;
    ShardComputer.prototype.shard = function (...args) {
      if (!existsSync(trigger)) return compute.apply(this, args);
      const how = readFileSync(trigger, 'utf8');
      rmSync(trigger);
      const taken = [];
      while (how === 'outOfMemory') taken.push(new Array(100_000).fill(taken.length));
      throw new Error('thrown by the fault harness');
    };
  });
}
