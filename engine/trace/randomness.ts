import { tf } from '../model/tfjs/tf.js';

/** TF.js operations that draw random numbers. */
const randomOps: ReadonlySet<string> = new Set([
  'multinomial',
  'rand',
  'randomGamma',
  'randomNormal',
  'randomStandardNormal',
  'randomUniform',
  'randomUniformInt',
  'truncatedNormal',
]);

/**
 * Runs `trace` and rejects TF.js operations that draw random numbers. A draw would be a constant of the program: the same
 * at every step and, without a seed, different in each process. Detects operations by the scopes that they open.
 * @param refusal - returns the error for an operation.
 */
export function withoutRandomness<T>(refusal: (op: string) => Error, trace: () => T): T {
  const engine = tf.engine();
  const startScope = engine.startScope.bind(engine);
  engine.startScope = (name?: string) => {
    const op = name?.replace(tf.OP_SCOPE_SUFFIX, '') ?? '';
    if (randomOps.has(op)) throw refusal(op);
    startScope(name);
  };
  try {
    return trace();
  } finally {
    Reflect.deleteProperty(engine, 'startScope');
  }
}
