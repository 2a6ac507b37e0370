/** Flags of every C file: no contraction, no fast-math, nothing that depends on the folder of the build. */
const common = [
  '-std=gnu11',
  '-O3',
  '-g0',
  '-fvisibility=hidden',
  '-ffp-contract=off',
  '-fno-math-errno',
  '-fno-trapping-math',
  '-fno-sanitize=undefined',
  '-fno-ident',
  '-Wall',
  '-Wextra',
  '-Werror',
  '-D_GNU_SOURCE',
];

const x64 = [
  { isa: 'avx512', flags: ['-march=x86_64_v4', '-mprefer-vector-width=512'] },
  { isa: 'avx2', flags: ['-march=x86_64_v3'] },
];
const neon = [{ isa: 'neon', flags: [] }];

/**
 * No libc is named and no version of one: the addon takes its few functions from the one that Node.js runs with, so a
 * file serves glibc and musl.
 */
const linux = ['-shared', '-nostdlib', '-s', '-Wl,-z,undefs', '-Wl,--build-id=none'];

/**
 * Targets: file in prebuilt/, zig's name, kernels by instruction set, flags of compiling and linking.
 *
 * @type {{ name: string, file: string, triple: string, isas: { isa: string, flags: string[] }[], bindings: string[],
 *   compile: string[], link: string[], nodeLibrary?: boolean }[]}
 */
export const targets = [
  {
    name: 'linux-x64',
    file: 'linux-x64.node',
    triple: 'x86_64-linux-musl',
    isas: x64,
    bindings: ['addon.c', 'vectors-addon.c'],
    compile: [...common, '-march=x86_64', '-fPIC'],
    link: linux,
  },
  {
    name: 'linux-arm64',
    file: 'linux-arm64.node',
    triple: 'aarch64-linux-musl',
    isas: neon,
    bindings: ['addon.c', 'vectors-addon.c'],
    compile: [...common, '-fPIC', '-mno-outline-atomics'],
    link: linux,
  },
  {
    name: 'darwin-arm64',
    file: 'darwin-arm64.node',
    triple: 'aarch64-macos.12.0',
    isas: neon,
    bindings: ['addon.c', 'vectors-addon.c'],
    compile: [...common, '-fPIC'],
    link: ['-shared', '-s', '-Wl,-undefined,dynamic_lookup'],
  },
  {
    name: 'win32-x64',
    file: 'win32-x64.node',
    triple: 'x86_64-windows-gnu',
    isas: x64,
    bindings: ['addon.c', 'vectors-addon.c'],
    compile: [...common, '-march=x86_64'],
    link: ['-shared', '-s'],
    nodeLibrary: true,
  },
  {
    name: 'wasm',
    file: 'lockstep.wasm',
    triple: 'wasm32-wasi',
    isas: [{ isa: 'wasm', flags: [] }],
    bindings: ['wasm.c'],
    compile: [...common, '-mcpu=generic+simd128+relaxed_simd+bulk_memory+nontrapping_fptoint'],
    link: ['-mexec-model=reactor', '-nostartfiles', '-s', '-Wl,--no-entry', '-Wl,-z,stack-size=1048576'],
  },
];
