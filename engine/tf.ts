import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
// Its import also registers the gradients of all operations, which tfjs-core alone does not.
import * as layers from '@tensorflow/tfjs-layers';

/**
 * TF.js, ready for use: reach this file by dynamic `import()` only, as loading it takes about 200 ms.
 *
 * Production mode switches off the advice to install another backend that TF.js prints at the first operation.
 */
tf.enableProdMode();

export { layers, tf };
