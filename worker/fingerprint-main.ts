import { createEngine } from '../engine/create.js';
import type { FingerprintAnswer, FingerprintQuestion } from './second-process.js';
import { ShardComputer } from './shard-computer.js';

/** Entry of the process that computes one fingerprint for `second-process.ts`. */

async function answer({ manifest, cacheDirectory }: FingerprintQuestion): Promise<FingerprintAnswer> {
  try {
    const engine = await createEngine({ ...manifest.spec.engine, cacheDirectory });
    return { fingerprint: await (await ShardComputer.compile(engine, manifest)).fingerprint() };
  } catch (error) {
    return { problem: (error as Error).message };
  }
}

process.once('message', (question: FingerprintQuestion) => {
  void answer(question).then((reply) => process.send!(reply, () => process.disconnect()));
});
