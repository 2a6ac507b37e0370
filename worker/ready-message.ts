import type { Ready } from '../proto/messages.js';
import type { FromEngine } from './engine-thread.js';

/** Characters of a text that a coordinator takes. */
const textLimit = 200;

/** What the coordinator is told of an engine that is ready. @param cores - that the workers of this host share. */
export function readyMessage(ready: FromEngine & { kind: 'ready' }, cores: number): Ready {
  const { info, placement = '', fingerprint, compileMs, canWiden } = ready;
  const { name: engine, version: engineVersion, device, lowering, threads } = info;
  return {
    ...{ engine, engineVersion, device, lowering, threads },
    ...{ fingerprint, compileMs, wideCores: canWiden ? cores : 0 },
    placement: placement.slice(0, textLimit),
  };
}
