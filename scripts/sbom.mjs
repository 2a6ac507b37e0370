// Prints a CycloneDX SBOM of the packages installed in TREE, without development dependencies:
// node scripts/sbom.mjs [TREE [DOWNLOAD…]]   (DOWNLOAD: name in scripts/downloads.json of a file unpacked into TREE)
//
// Reproducible: npm's timestamp and serial number are omitted.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const [tree = '.', ...names] = process.argv.slice(2);
const records = JSON.parse(readFileSync(new URL('downloads.json', import.meta.url), 'utf8'));
const unknown = names.filter((name) => !Object.hasOwn(records, name));
if (unknown.length > 0) {
  console.error(`sbom: expected names in scripts/downloads.json, got ${unknown.join(', ')}`);
  process.exit(2);
}
const args = ['sbom', '--sbom-format', 'cyclonedx', '--loglevel', 'error'];
const text = execFileSync('npm', args, { cwd: tree, encoding: 'utf8', maxBuffer: 1 << 26 });
const { serialNumber: _serialNumber, metadata, components: all, dependencies: edges, ...rest } = JSON.parse(text);
// `--omit dev` would also omit packages needed by both.
const components = all.filter(({ properties }) => !properties.some(isDevelopment));
const listed = new Set([metadata.component['bom-ref'], ...components.map((component) => component['bom-ref'])]);
const dependencies = edges
  .filter(({ ref }) => listed.has(ref))
  .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((other) => listed.has(other)) }));
const { timestamp: _timestamp, component, ...about } = metadata;
// npm names the component after its folder.
const { name } = JSON.parse(readFileSync(join(tree, 'package.json'), 'utf8'));
const downloads = names.map((name) => ({
  'bom-ref': name,
  type: 'library',
  name,
  version: records[name].version,
  hashes: [{ alg: 'SHA-256', content: records[name].sha256 }],
  externalReferences: [{ type: 'distribution', url: records[name].url }],
}));
const described = { ...about, component: { ...component, name } };
const sbom = { ...rest, metadata: described, components: [...components, ...downloads], dependencies };
console.log(JSON.stringify(sbom, null, 2));

function isDevelopment({ name, value }) {
  return name === 'cdx:npm:package:development' && value === 'true';
}
