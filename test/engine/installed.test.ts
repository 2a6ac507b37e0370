import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { cudaProviderCommand, cudaProviderIn, libraryFolders } from '../../engine/onnx/cuda-provider.js';
import { findBinding } from '../../engine/tensorflow/find-binding.js';

function scratch(): string {
  const directory = mkdtempSync(join(tmpdir(), 'lockstep-installed-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

describe("ONNX Runtime's CUDA provider", () => {
  it('is found beside the build of this platform, whatever its Node-API version', () => {
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

  it('is fetched by a command whose script the package has, and which skips nothing unless it is told to', () => {
    const directory = dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'));
    const [program, script] = cudaProviderCommand().split(' ');
    expect([program, script]).toEqual(['node', join(directory, 'script/install.js')]);
    const { requirements } = createRequire(script!)('./install-metadata.js') as {
      requirements: Readonly<Record<string, readonly string[]>>;
    };
    expect(requirements['linux/x64']).toEqual(['cuda12']);
    // Run by npm, it would be told to skip: .npmrc says so.
    const flag = execFileSync(program!, ['-p', `require('./install-utils.js').parseInstallFlag()`], {
      cwd: dirname(script!),
      env: { PATH: process.env['PATH'] },
      encoding: 'utf8',
    });
    expect(flag.trim()).toBe('undefined');
  });
});

describe("TF.js's native binding", () => {
  it('is found in the folder where the workers start, that for GPUs first', () => {
    const directory = scratch();
    const install = (name: string) => {
      mkdirSync(join(directory, 'node_modules', name), { recursive: true });
      writeFileSync(join(directory, 'node_modules', name, 'package.json'), JSON.stringify({ name }));
    };
    const before = findBinding(directory)?.name;
    install('@tensorflow/tfjs-node');
    expect(findBinding(directory)?.name).toBe(before ?? '@tensorflow/tfjs-node');
    install('@tensorflow/tfjs-node-gpu');
    expect(findBinding(directory)?.name).toBe('@tensorflow/tfjs-node-gpu');
  });
});
