import { arithmeticVersion } from '../../../engine/arithmetic.js';

/** The arithmetic that gave these digests. */
const recorded: number = 1;

/** First digits of `digestOf` of every subject. Some are in docs/claims.md, too. */
export const digests: Readonly<Record<string, string>> = {
  'cnn3, 5 × 32 × 32': '91b601f1957ab7b7',
  'cnn4, 5 × 32 × 32': '99046b8ea0385a63',
  'resnet20, 5 × 16 × 16': 'eaa95254d8a31031',
  'cnn3, 49 × 32 × 32': 'fb6e94179746be7b',
  'cnn4, 49 × 32 × 32': '6da60dcea7e09123',
  'resnet20, 49 × 32 × 32': 'dc88e21ec5e6b434',
  'mlp, 5 × 32 × 32': '190a2d8aba2554c2',
  'conv2d of a block, dilation [1, 2], valid': 'db9f6bf5d9500752',
  separableConv2d: 'b703e1714bec059a',
  conv2dTranspose: 'e2d75e5c901e3441',
  'maxPooling2d 3×3, stride 2, same': 'f63b381a72ebbacb',
  'averagePooling2d 3×3, stride 2, same': '4274ae6966cce118',
  'layerNormalization of channels': 'f8268cb0fc54719d',
  'two dropouts': '01221bc7117b2d0f',
  'residual block': 'b4c7ae9d51c038ca',
  gelu: 'a5be22860ae232e9',
  'prelu per channel': 'f6b7d354d911ad48',
};

/** Differences from the recorded digests, with the consequences; empty if there are none. */
export function problemsOf(found: Readonly<Record<string, string>>): string[] {
  if (recorded !== arithmeticVersion) {
    return [`recorded digests: expected those of arithmetic ${arithmeticVersion}, got ${recorded}; record them again`];
  }
  return Object.entries(found).flatMap(([name, digest]) => {
    const expected = digests[name];
    if (expected !== undefined && digest.startsWith(expected)) return [];
    return [
      `${name}: expected ${expected ?? 'a recorded digest'}, got ${digest.slice(0, 16)}. If one target differs, it has a ` +
        'mistake. If all differ in the same way, results have changed: runs could not be resumed and checkpoints not ' +
        'be verified. Undo that, or raise arithmeticVersion in engine/arithmetic.ts and record the digests again.',
    ];
  });
}
