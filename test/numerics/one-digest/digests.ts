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
  'conv2d of a block, dilation [1, 2], valid': '71af05764daa9152',
  separableConv2d: '8a1ad16aca6a506a',
  conv2dTranspose: 'dd70d99ebfce8efe',
  'maxPooling2d 3×3, stride 2, same': '52a2b86ed8746d3c',
  'averagePooling2d 3×3, stride 2, same': '86ae4305f80b3b76',
  'layerNormalization of channels': '92c77be1b4e85df4',
  'two dropouts': '32208f12ab08bf73',
  'residual block': '01b252b50397dc1f',
  gelu: 'e0d37c3e558c971f',
  'prelu per channel': '22fccdb7ac3d6039',
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
