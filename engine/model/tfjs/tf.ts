import { createRequire } from 'node:module';
import type * as Core from '@tensorflow/tfjs-core';
import type * as Layers from '@tensorflow/tfjs-layers';
import { replaceGradients } from './gradients.js';
import { replaceInitializers } from './initializers.js';

/**
 * TF.js with replaced gradients and initializers. Load this file by dynamic `import()` only: it takes about 60 ms.
 *
 * Uses `require`, because `import` of TF.js takes 250 ms: Node.js searches a CommonJS module's source, here 5 MB, for exports.
 */
const require = createRequire(import.meta.url);
export const tf = require('@tensorflow/tfjs-core') as typeof Core;
require('@tensorflow/tfjs-backend-cpu');
// This import also registers the gradients of all operations.
export const layers = require('@tensorflow/tfjs-layers') as typeof Layers;

replaceGradients(tf);
replaceInitializers(tf, layers);
// Production mode disables the advice to install another backend.
tf.enableProdMode();
