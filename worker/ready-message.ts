import type { Ready } from '../proto/messages.js';
import type { FromEngine } from './engine-thread.js';

/** Characters of a text that a coordinator takes. */
const textLimit = 200;

/** What the coordinator is told of an engine that is ready. */
export function readyMessage(ready: FromEngine & { kind: 'ready' }, wideCores: number): Ready {
  const { info, placement = '', fingerprint, compileMs } = ready;
  const { name: engine, version: engineVersion, device, lowering, threads } = info;
  return {
    ...{ engine, engineVersion, device, lowering, threads },
    ...{ fingerprint, compileMs, wideCores },
    placement: placement.slice(0, textLimit),
  };
}
