import { createRequire } from 'node:module';
import type * as Core from '@tensorflow/tfjs-core';
import type * as Layers from '@tensorflow/tfjs-layers';
import { replaceGradients } from './gradients.js';
import { replaceInitializers } from './initializers.js';

/**
 * TF.js, ready for use: reach this file by dynamic `import()` only, as loading it takes about 60 ms.
 *
 * `import` would take 250: before it runs a CommonJS module it searches the source for what is exported, 5 MB here.
 */
const require = createRequire(import.meta.url);
export const tf = require('@tensorflow/tfjs-core') as typeof Core;
require('@tensorflow/tfjs-backend-cpu');
// Loading it also registers the gradients of all operations, which tfjs-core alone does not.
export const layers = require('@tensorflow/tfjs-layers') as typeof Layers;

replaceGradients(tf);
replaceInitializers(tf, layers);
// Production mode switches off the advice to install another backend that TF.js prints at the first operation.
tf.enableProdMode();
