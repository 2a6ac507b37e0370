import { tf } from '../model/tfjs/tf.js';

/** Operations of TF.js that draw random numbers. */
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
 * Runs `trace`, in which no operation of TF.js may draw random numbers. A draw would be a constant of the program, the
 * same at every step, and without a seed a different one in each process. Each operation opens a scope with its name,
 * where it is caught.
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
