import { describe, expect, it } from 'vitest';
import { dataId, type PageData } from '../../../run/verify/page-data.js';
import type { ComputedShard } from '../../../run/verify/compute-shard.js';
import { renderVerifyPage } from '../../../run/verify/page.js';
import type { ShardTask } from '../../../run/verify/shard-task.js';
import { smallManifest } from '../../coordinator/manifest.js';

const script = { code: 'void 0', source: "'sha256-abc='" };
const task: ShardTask = {
  run: '/secret/place/runs/first',
  step: 1_230,
  shard: 1,
  samples: Uint32Array.of(7, 1_234),
  batch: { images: new Uint8Array(24), labels: Int32Array.of(0, 1) },
};

/** A made-up result of two parameters and no running statistics. */
function computed(changes: Partial<ComputedShard['inputs']> = {}, name = 'dense/kernel'): ComputedShard {
  const bytes = new Uint8Array(8);
  const parameters = [{ name, shape: [2], offset: 0, size: 2 }];
  return {
    manifest: smallManifest(2),
    layout: { parameters, parameterCount: 2, state: [], stateCount: 0 },
    stepsPerEpoch: 205,
    inputs: { plan: bytes, wasm: bytes, params: bytes, images: bytes, labels: bytes, masks: bytes, ...changes },
    result: { gradient: Float32Array.of(1, -0), statistics: new Float32Array(0), lossSum: NaN, correct: 3 },
    runtime: { isa: 'avx2', reason: 'avx512: the CPU lacks AVX512F' },
  };
}

function htmlOf(shard: ComputedShard): string {
  const page = renderVerifyPage(task, shard, script);
  if ('reason' in page) throw new Error(page.reason);
  return page.html;
}

const dataOf = (html: string) =>
  JSON.parse(new RegExp(`id="${dataId}">(.*?)</script>`, 's').exec(html)![1]!) as PageData;

describe('the page to verify', () => {
  it('names step, epoch, shard, checkpoint, images and the kernels of its writer, but no folder', () => {
    const text = htmlOf(computed())
      .replace(/<script.*?<\/script>/gs, '')
      .replace(/<[^>]+>/g, ' ')
      .replace(/\s+/g, ' ');
    expect(text).toContain('In step 1,230 (epoch 7), shard 1 of 2 contributed 2 training images.');
    expect(text).toContain('step-00001230.safetensors');
    expect(text).toContain(`avx2 kernels on ${process.platform} ${process.arch} (avx512: the CPU lacks AVX512F)`);
    expect(text).toContain('7 1234');
    expect(text).toContain('Run first');
    expect(text).not.toContain('secret');
  });

  it('has inputs and results bit for bit, also those that JSON cannot express', () => {
    const { inputs, expected } = dataOf(htmlOf(computed({ images: Uint8Array.of(0, 255, 7) })));
    expect([...Buffer.from(inputs.images, 'base64')]).toEqual([0, 255, 7]);
    expect(Buffer.from(expected.gradient, 'base64').toString('hex')).toBe('0000803f00000080');
    expect(Buffer.from(expected.loss, 'base64').readFloatLE()).toBeNaN();
    expect(expected.correct).toBe(3);
  });

  it('allows its own script alone, and no name can end the data', () => {
    const name = '</script><script>alert(1)</script>';
    const html = htmlOf(computed({}, name));
    expect(html).toContain(`script-src &#39;sha256-abc=&#39; &#39;wasm-unsafe-eval&#39;`);
    expect(html.match(/<script/g)).toHaveLength(2);
    expect(dataOf(html).parameters[0]!.name).toBe(name);
  });

  it('is not made for a model that is too large for it, and the reason tells the sizes', () => {
    const page = renderVerifyPage(task, computed({ params: new Uint8Array(70 * 2 ** 20) }), script);
    expect(page).toEqual({ reason: 'the page would have 71 MiB of data, more than 64 MiB' });
  });
});
