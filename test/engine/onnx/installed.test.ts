import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { cudaProviderIn, libraryFolders } from '../../../engine/onnx/cuda-provider.js';
import { findBinding } from '../../../engine/tensorflow/find-binding.js';

function scratch(): string {
  const directory = mkdtempSync(join(tmpdir(), 'lockstep-installed-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

describe("ONNX Runtime's CUDA provider", () => {
  it('is found next to the build of this platform, whatever its Node-API version', () => {
    const directory = scratch();
    const build = join(directory, 'bin/napi-v9/linux/x64');
    mkdirSync(build, { recursive: true });
    expect(cudaProviderIn(directory, 'linux/x64')).toBeUndefined();
    const file = join(build, 'libonnxruntime_providers_cuda.so');
    writeFileSync(file, '');
    expect(cudaProviderIn(directory, 'linux/x64')).toBe(file);
    expect(cudaProviderIn(directory, 'darwin/arm64')).toBeUndefined();
  });

  it("is given the folders of NVIDIA's wheels that hold libraries", () => {
    const directory = scratch();
    for (const folder of ['cudnn/lib', 'cublas/lib', 'cublas/include', 'notes']) {
      mkdirSync(join(directory, folder), { recursive: true });
    }
    expect(libraryFolders(directory)).toEqual([join(directory, 'cublas/lib'), join(directory, 'cudnn/lib')]);
    expect(libraryFolders(join(directory, 'nothing'))).toEqual([]);
  });
});

describe("TF.js's native binding", () => {
  it('is found in the given folder, that for GPUs first, and never in the current one', () => {
    const directory = scratch();
    const install = (name: string) => {
      mkdirSync(join(directory, 'node_modules', name), { recursive: true });
      writeFileSync(join(directory, 'node_modules', name, 'package.json'), JSON.stringify({ name }));
    };
    const before = findBinding()?.name;
    install('@tensorflow/tfjs-node');
    expect(findBinding(directory)?.name).toBe(before ?? '@tensorflow/tfjs-node');
    install('@tensorflow/tfjs-node-gpu');
    expect(findBinding(directory)?.name).toBe('@tensorflow/tfjs-node-gpu');
    const current = vi.spyOn(process, 'cwd').mockReturnValue(directory);
    expect(findBinding()?.name).toBe(before);
    current.mockRestore();
  });
});
