import { expect, it } from 'vitest';
import { tf } from '../../../engine/model/tfjs/tf.js';
import { common } from './model.js';
import { bitsOf, type Rig, trainOnce } from './rig.js';

/** End of a program's life. */
export function endsProperly(rig: Rig): void {
  it('a program finishes pending runs before it is disposed of, and rejects later ones; disposing twice is no error', async () => {
    const program = await rig.engine.compileTrain({ ...common, mode: 'train' });
    const rows = await rig.engine.compileEvaluate({ ...common, mode: 'evaluate' });
    const running = program.run(rig.input);
    await Promise.all([program.dispose(), rows.dispose()]);
    expect(bitsOf(await running)).toBe(rig.bits);
    await Promise.all([program.dispose(), rows.dispose()]);
    const refused = {
      name: 'EngineError',
      code: 'DISPOSED',
      message: 'run program: expected an active program, got a disposed one; compile it again',
    };
    await expect(program.run(rig.input)).rejects.toMatchObject(refused);
    await expect(rows.run(rig.input)).rejects.toMatchObject(refused);
    expect(bitsOf(await rig.train.run(rig.input))).toBe(rig.bits);
  });

  it('a program that was disposed of leaves no tensor behind', async () => {
    const tensors = tf.memory().numTensors;
    await trainOnce(rig.engine);
    const rows = await rig.engine.compileEvaluate({ ...common, mode: 'evaluate' });
    await rows.run(rig.input);
    await rows.dispose();
    expect(tf.memory().numTensors).toBe(tensors);
  });
}
