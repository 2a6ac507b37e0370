import { addition } from './add.js';
import type { Rules } from './lowering.js';
import { channelAffine, channelSums, relu, timesChannels, withChannels } from './nchwc-channels.js';
import { filterGradient } from './nchwc-filter.js';
import { convolution, inputGradient, withGradients } from './nchwc-conv.js';
import { reorder } from './nchwc-ops.js';
import { maxPool, maxPoolGrad } from './nchwc-pool.js';
import { portable } from './portable.js';

/**
 * Formulations for ONNX Runtime's CPU provider: convolutions and their gradients as its direct convolutions, which need
 * no im2col. Everything else, and what does not fit them, is formulated portably.
 *
 * They are internal operators (domain `com.microsoft.nchwc`), meant for ONNX Runtime's own optimizer. It puts them in
 * for constant filters only; here the filters are weights that change at each step, so the graph rearranges them itself.
 * Nothing promises that another version has them: `probe.ts` tries them before they are used.
 * @param block - channels that lie side by side in memory: 8, 16 or 32, by the CPU.
 */
export function nchwcRules(block: number): Rules {
  return {
    ...portable,
    add: withGradients(block, addition(channelAffine)),
    conv: convolution(block),
    convFilter: filterGradient(block),
    convInput: inputGradient(block),
    maxPool,
    maxPoolGrad: maxPoolGrad(block),
    mul: timesChannels(block),
    relu,
    reorder: reorder(block),
    sub: withChannels('sub', 'Sub', block),
    sum: channelSums,
  };
}
