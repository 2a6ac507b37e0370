import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));

interface Sbom {
  readonly bomFormat: string;
  readonly serialNumber?: string;
  readonly metadata: { readonly timestamp?: string; readonly component: { readonly name: string } };
  readonly components: readonly {
    readonly group?: string;
    readonly name: string;
    readonly version: string;
    readonly hashes?: readonly { readonly alg: string; readonly content: string }[];
  }[];
}

const sbom = (...names: readonly string[]) =>
  execFileSync(process.execPath, ['scripts/sbom.mjs', '.', ...names], { cwd: root, encoding: 'utf8', stdio: 'pipe' });

/**
 * The packages that npm has installed, from its record in the tree; the lockfile also has packages of other platforms.
 */
function installed(): string[] {
  type Tree = { packages: Record<string, { version: string; dev?: boolean; name?: string }> };
  const { packages } = JSON.parse(readFileSync(`${root}node_modules/.package-lock.json`, 'utf8')) as Tree;
  const shipped = Object.entries(packages).filter(([, { dev }]) => !dev);
  return shipped.map(([path, { version, name }]) => `${name ?? path.replace(/^.*node_modules\//, '')}@${version}`);
}

const text = sbom('onnxruntime-gpu');

it('lists the packages in the tree that are not for development, and the downloads, each with a digest', () => {
  const { bomFormat, components, metadata } = JSON.parse(text) as Sbom;
  expect([bomFormat, metadata.component.name]).toEqual(['CycloneDX', 'lockstep']);
  const listed = components.map(({ name, version }) => `${name}@${version}`);
  expect(new Set(listed)).toEqual(new Set([...installed(), 'onnxruntime-gpu@1.30.0']));
  expect(components.filter(({ hashes }) => hashes?.[0] === undefined)).toEqual([]);
});

it('is the same for the same tree', () => {
  expect(sbom('onnxruntime-gpu')).toBe(text);
  const { serialNumber, metadata } = JSON.parse(text) as Sbom;
  expect([serialNumber, metadata.timestamp]).toEqual([undefined, undefined]);
});

it('refuses a download that is not recorded', () => {
  expect(() => sbom('libcuda')).toThrow('sbom: expected names in scripts/downloads.json, got libcuda');
});
