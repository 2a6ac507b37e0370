import type { ModelTopology } from '../../engine.js';
import { canonical } from './canonical.js';
import { checkTopology } from './check-topology.js';

/**
 * Checks a topology and returns it in its canonical spelling.
 * @throws EngineError UNSUPPORTED_MODEL that names all faults, with layer, key and value.
 */
export function readTopology(topology: ModelTopology): ModelTopology {
  const read = canonical(topology);
  checkTopology(read);
  return read;
}
