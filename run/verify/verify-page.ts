import { Worker } from 'node:worker_threads';
import type { ShardStep } from './choose-shard.js';
import type { NothingToVerify, ShardTask } from './shard-task.js';

/** A page that computes a shard in the reader's browser, or the reason why there is none. */
export type VerifyPage = (ShardStep & { readonly html: string }) | NothingToVerify;

/** Makes the page in a separate thread, because compiling takes a second. Never rejects. */
export async function createVerifyPage(task: ShardTask | NothingToVerify): Promise<VerifyPage> {
  if ('reason' in task) return task;
  const thread = new Worker(new URL('./thread-main.js', import.meta.url), { workerData: task });
  try {
    return await new Promise<VerifyPage>((resolve) => {
      thread.once('message', resolve);
      thread.once('error', ({ message }: Error) => resolve({ reason: message }));
      thread.once('exit', (code) => resolve({ reason: `its thread ended with code ${code}` }));
    });
  } finally {
    await thread.terminate();
  }
}
