import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { findGpus } from '../../../cli/gpus/find-gpus.js';
import { informationOf } from './recorded.js';

/** A folder in which the driver's files may be written. */
function scratch() {
  const directory = mkdtempSync(join(tmpdir(), 'lockstep-gpus-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return { proc: join(directory, 'proc'), smi: join(directory, 'nvidia-smi'), smiLimitMs: 5_000 };
}

function write(proc: string, bus: string, text: string): void {
  mkdirSync(join(proc, bus), { recursive: true });
  writeFileSync(join(proc, bus, 'information'), text);
}

function script(path: string, body: string): void {
  writeFileSync(path, `#!/bin/sh\n${body}\n`);
  chmodSync(path, 0o755);
}

describe("this machine's GPUs", () => {
  it('are counted by bus, as nvidia-smi counts them, and nvidia-smi is not run if the kernel lists them', async () => {
    const files = scratch();
    write(files.proc, '0000:41:00.0', informationOf['an A10G in a virtual machine']!.text);
    write(files.proc, '0000:01:00.0', informationOf['an RTX 3090']!.text);
    script(files.smi, 'echo "0, NVIDIA Never Asked"');
    expect(await findGpus({}, files)).toEqual([
      { device: '0', name: 'NVIDIA GeForce RTX 3090' },
      { device: '1', name: 'NVIDIA A10G' },
    ]);
    expect(await findGpus({ CUDA_VISIBLE_DEVICES: '1' }, files)).toEqual([{ device: '1', name: 'NVIDIA A10G' }]);
  });

  it.skipIf(process.platform === 'win32')(
    'are those of nvidia-smi where the kernel has no list of them (needs a POSIX shell)',
    async () => {
      const files = scratch();
      const wanted = '[ "$*" = "--query-gpu=index,name --format=csv,noheader" ] || exit 2';
      script(files.smi, `${wanted}\nprintf '0, NVIDIA TITAN V\\n1, NVIDIA RTX 5880 Ada Generation\\n'`);
      expect(await findGpus({}, files)).toEqual([
        { device: '0', name: 'NVIDIA TITAN V' },
        { device: '1', name: 'NVIDIA RTX 5880 Ada Generation' },
      ]);
    },
  );

  it.skipIf(process.platform === 'win32').each([
    ['is not there', undefined],
    ['fails', 'echo "No devices were found"; exit 6'],
    ['does not answer', 'exec sleep 60'],
  ])('are none where nvidia-smi %s (needs a POSIX shell)', async (_, body) => {
    const files = { ...scratch(), smiLimitMs: 500 };
    if (body !== undefined) script(files.smi, body);
    expect(await findGpus({}, files)).toEqual([]);
  });
});
