import type { Fault } from './fault.js';
import { type Json, sameJson } from './json.js';
import { layer, type LayerRules, weightKeys } from './layer-rules.js';
import { count, flag, none, oneOf, ones, only, type Rules, sizes } from './rules.js';
import { activationOrNull, initializer, initializerIn } from './value-rules.js';

export const dataFormat = oneOf('channels_last', 'channels_first');
/** For layers whose data format TF.js ignores or computes incorrectly. */
export const channelsLast = oneOf('channels_last');
export const padding = oneOf('valid', 'same');

const groups = only(1, 'use one convolution per group, and concatenate them');
const bias = weightKeys({ bias: initializer('Zeros') });
const kernel = weightKeys({ kernel: initializer('GlorotNormal') });

function convolution(rank: number): Rules {
  return {
    kernel_size: { ...sizes(rank), required: true },
    strides: sizes(rank),
    padding,
    data_format: dataFormat,
    dilation_rate: sizes(rank),
    groups,
    activation: activationOrNull,
    use_bias: flag,
    ...bias,
  };
}

/** Initializer of a weight that doesn't exist, so without `initial`. */
const unusedInitializer = { use: 'neutral', accepts: 'an initializer', check: initializer('').check } as const;
const filters = { ...count, required: true } as const;

const noDilation = ones('use Conv2D or SeparableConv2D, which support dilation');
const noDilation1d = ones('use Conv2D with a kernel of one row, which supports dilation');

export const convolutionRules: Readonly<Record<string, LayerRules>> = {
  Conv2D: layer({ filters, ...convolution(2), ...kernel }, dilationFault),
  DepthwiseConv2D: layer({
    ...convolution(2),
    depth_multiplier: count,
    dilation_rate: noDilation,
    ...weightKeys({ depthwise: initializer('GlorotNormal') }),
  }),
  SeparableConv2D: layer(
    {
      filters,
      ...convolution(2),
      depth_multiplier: count,
      ...weightKeys({ depthwise: initializer('GlorotUniform'), pointwise: initializer('GlorotUniform') }),
      // Keras writes these for every convolution, but a separable one has no such weight.
      ...kernel,
      kernel_initializer: unusedInitializer,
    },
    (config) => dilationFault(config) ?? pointwiseFault(config),
  ),
  Conv2DTranspose: layer({
    filters,
    ...convolution(2),
    dilation_rate: noDilation,
    output_padding: none('remove it; crop or pad the result'),
    ...kernel,
  }),
  Conv1D: layer({
    filters,
    ...convolution(1),
    data_format: channelsLast,
    dilation_rate: noDilation1d,
    ...kernel,
  }),
};

function dilationFault({ dilation_rate: dilation = 1, strides = 1 }: Json): Fault | undefined {
  if (allOnes(dilation) || allOnes(strides)) return undefined;
  return { key: 'strides', expected: '1 with dilation', value: strides, remedy: 'set one of them to 1' };
}

function allOnes(sizes: unknown): boolean {
  return [sizes].flat().every((size) => size === 1);
}

/** Fault of a pointwise initializer that differs from the depthwise one, which TF.js uses for both kernels. */
function pointwiseFault(config: Json): Fault | undefined {
  const [depthwise, pointwise] = ['depthwise_initializer', 'pointwise_initializer'].map((key) => {
    const { class_name: className, config: settings } = initializerIn(config[key] ?? 'GlorotUniform')!;
    return { className, settings: Object.entries(settings).filter(([, value]) => value !== null) };
  });
  if (sameJson(depthwise, pointwise)) return undefined;
  const remedy = 'give both kernels the same initializer';
  return {
    key: 'pointwise_initializer',
    expected: 'equal to depthwise_initializer',
    value: pointwise!.className,
    remedy,
  };
}
