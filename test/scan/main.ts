// npm run scan: runs the installed scanners over the contents of deploy/. It fails on a finding without a written
// reason in deploy/scan-exceptions.yaml, on a reason that no finding needs, and on a scanner that failed.
// Usage: npm run scan [-- --require SCANNER…]   (--require: fails if one of them isn't installed)
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { exceptionsSchema, type Finding, judgeFindings } from './findings.js';
import { renderManifests } from './render.js';
import { runScanner, scanners } from './scanners.js';

const [flag, ...required] = process.argv.slice(2);
const unknown = required.filter((name) => !scanners.some((scanner) => scanner.name === name));
if ((flag !== undefined && flag !== '--require') || unknown.length > 0) {
  console.error(
    `scan: expected --require with ${scanners.map(({ name }) => name).join(', ')}, got ${process.argv[2]!}`,
  );
  process.exit(2);
}
const exceptions = exceptionsSchema.parse(parse(readFileSync('deploy/scan-exceptions.yaml', 'utf8')));
const directory = mkdtempSync(join(tmpdir(), 'lockstep-scan-'));
const ran = new Set<string>();
const findings: Finding[] = [];
let failed = false;
try {
  renderManifests(directory);
  for (const scanner of scanners) {
    const result = runScanner(scanner, join(directory, 'manifests'));
    if (typeof result === 'string') {
      const isMissing = result === 'not installed' || result === 'the registry offers no audit';
      failed ||= !isMissing || required.includes(scanner.name);
      console.log(`${scanner.name}: not run: ${result}`);
      continue;
    }
    ran.add(scanner.name);
    findings.push(...result);
    console.log(`${scanner.name}: ${result.length} findings`);
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
}
const { unexplained, unused } = judgeFindings(findings, exceptions, ran);
for (const { scanner, check, object, text } of unexplained) {
  console.error(
    `scan: expected a reason in deploy/scan-exceptions.yaml, got none for ${scanner} ${check}; ${object}; ${text}`,
  );
}
for (const name of unused)
  console.error(`scan: expected a finding for ${name}, got none; remove it from deploy/scan-exceptions.yaml`);
console.log(`${findings.length - unexplained.length} findings with a written reason, ${unexplained.length} without`);
process.exitCode = failed || unexplained.length > 0 || unused.length > 0 ? 1 : 0;
