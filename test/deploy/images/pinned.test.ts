import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';

const root = new URL('../../../', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), 'utf8');
const filesIn = (folder: string, ending: RegExp) =>
  readdirSync(new URL(folder, root), { recursive: true, encoding: 'utf8' })
    .filter((path) => ending.test(path))
    .map((path) => `${folder}/${path}`);

interface LockFile {
  readonly packages: Readonly<
    Record<string, { readonly version?: string; readonly integrity?: string; readonly link?: boolean }>
  >;
}

const digest = /^[a-z0-9./-]+:[A-Za-z0-9._-]+@sha256:[0-9a-f]{64}$/;
/** Built from this repository. */
const own = /^lockstep(-operator)?(:[0-9.]+-[a-z-]+)?$/;

describe('the sources of images', () => {
  const dockerfile = read('deploy/images/Dockerfile');

  it('is a base by digest in every stage', () => {
    const defaults = new Map(
      [...dockerfile.matchAll(/^ARG (\w+)=(\S+)$/gm)].map(([, name, value]) => [`\${${name!}}`, value!]),
    );
    const stages = [...dockerfile.matchAll(/^FROM (\S+) AS (\S+)$/gm)].map(([, from, name]) => ({
      from: from!,
      name: name!,
    }));
    const names = new Set(stages.map(({ name }) => name));
    const bases = stages.map(({ from }) => from).filter((from) => !names.has(from));
    expect(bases.length).toBeGreaterThanOrEqual(6);
    for (const base of bases) expect(defaults.get(base)).toMatch(digest);
  });

  it('comes from lockfiles without install scripts, and nothing is fetched by another command', () => {
    const commands = [dockerfile, read('deploy/images/tensorflow/build.sh')].join('\n');
    expect(commands).not.toMatch(/npm (install|i|exec)\b|npx|curl|wget|\bpip\b|apt-get/);
    const installs = commands.match(/npm (ci|prune)\b.*/g)!;
    expect(installs).toHaveLength(5);
    for (const line of installs) expect(line).toContain('--ignore-scripts');
  });

  it.each(['package-lock.json', 'deploy/images/tensorflow/package-lock.json'])(
    'has a digest for each of %s',
    (file) => {
      const packages = Object.entries((JSON.parse(read(file)) as LockFile).packages).filter(([path]) => path !== '');
      expect(packages.length).toBeGreaterThan(100);
      expect(packages.filter(([, { integrity }]) => !integrity?.startsWith('sha512-')).map(([path]) => path)).toEqual(
        [],
      );
    },
  );
});

it('names every image of others in deploy/ by digest', () => {
  const images = filesIn('deploy', /\.ya?ml$/).flatMap((file) =>
    [...read(file).matchAll(/^\s*(?:- )?image: (\S+)$/gm)].map(([, image]) => image!),
  );
  expect(images.length).toBeGreaterThan(3);
  for (const image of images.filter((name) => !own.test(name))) expect(image).toMatch(digest);
  expect(images.some((image) => image.startsWith('docker.io/library/nats:'))).toBe(true);
});

it('names every action of the workflows by commit, and every container by digest', () => {
  const workflows = filesIn('.github/workflows', /\.yml$/).map(read);
  const values = (key: string) =>
    workflows.flatMap((text) => [...text.matchAll(new RegExp(`^ *(?:- )?${key}: (.+)$`, 'gm'))].map(([, one]) => one!));
  const actions = values('uses');
  expect(actions.length).toBeGreaterThan(10);
  for (const action of actions) expect(action).toMatch(/^actions\/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  for (const container of values('container')) expect(container).toMatch(digest);
});

it('reports tags with another digest than the one in deploy/', () => {
  const directory = mkdtempSync(join(tmpdir(), 'lockstep-pinned-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const registry = (answer: string) =>
    writeFileSync(join(directory, 'skopeo'), `#!/bin/sh\n${answer}\n`, { mode: 0o755 });
  const check = () =>
    execFileSync('sh', ['deploy/images/pin-bases.sh', '--check'], {
      cwd: fileURLToPath(root),
      encoding: 'utf8',
      env: { PATH: `${directory}:${process.env['PATH']!}` },
      stdio: 'pipe',
    });
  registry('for tag; do :; done; grep -rhoE "${tag#docker://}@sha256:[0-9a-f]{64}" deploy | head -1 | cut -d @ -f 2');
  expect(check()).toBe('');
  registry(`echo sha256:${'0'.repeat(64)}`);
  expect(check).toThrow(
    expect.objectContaining({
      status: 1,
      stdout: expect.stringMatching(/nats:2\.11-alpine@sha256:/) as string,
    }) as Error,
  );
  registry('echo unauthorized');
  expect(check).toThrow("got 'unauthorized'");
});

it('installs no package with its install script unless it is asked to', () => {
  expect(read('.npmrc').split('\n')).toContain('ignore-scripts=true');
});

it('takes the CUDA provider of the ONNX Runtime that is installed', () => {
  const { version } = (JSON.parse(read('package-lock.json')) as LockFile).packages['node_modules/onnxruntime-node']!;
  const downloads = JSON.parse(read('scripts/downloads.json')) as Record<string, { version: string; url: string }>;
  expect(downloads['onnxruntime-gpu']!.version).toBe(version);
  expect(downloads['onnxruntime-gpu']!.url).toContain(`/onnxruntime_gpu-${version!}-`);
  expect(read('scripts/gpu-requirements.txt')).toContain(`onnxruntime-gpu ${version!},`);
});

it('tells nobody to run or install a package from npm under the unpublished name', () => {
  const documents = [
    'docs',
    'deploy',
    'cli',
    'coordinator',
    'engine',
    'operator',
    'run',
    'observe',
    'examples',
  ].flatMap((folder) => filesIn(folder, /\.(md|ts|ya?ml|ipynb|sh|mjs)$/));
  const wrong = /npx (?:\S+ )*?lockstep\b|npm (?:install|i|add|exec)(?: -\S+)* lockstep(?![-\w./])/;
  const more = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', ...filesIn('.github', /\.(md|yml)$/)];
  // Repeats the command that the user typed.
  const repeats = 'cli/command-name.ts';
  expect([...documents, ...more].filter((file) => file !== repeats && wrong.test(read(file)))).toEqual([]);
});
