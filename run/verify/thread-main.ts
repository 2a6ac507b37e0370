import { parentPort, workerData } from 'node:worker_threads';
import { InvariantError } from '../../util/errors.js';
import { computeShard } from './compute-shard.js';
import { renderVerifyPage } from './page.js';
import { readVerifyScript } from './script.js';
import type { ShardTask } from './shard-task.js';
import type { VerifyPage } from './verify-page.js';

/** Entry point of the thread that makes a page: compiles, computes and renders. */

const port = parentPort;
if (!port) throw new InvariantError('the thread of a page to verify was started outside a thread');

async function make(task: ShardTask): Promise<VerifyPage> {
  try {
    return renderVerifyPage(task, await computeShard(task), await readVerifyScript());
  } catch (error) {
    return { reason: (error as Error).message };
  }
}

port.postMessage(await make(workerData as ShardTask));
