import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Finding } from './findings.js';

/** Longest time for one scanner. */
const LIMIT_MS = 300_000;
const dockerfile = 'deploy/images/Dockerfile';

type Found = Omit<Finding, 'scanner'>;
interface Scanner {
  readonly name: string;
  readonly command: (manifests: string) => readonly string[];
  /** Findings from its output; undefined if it failed. */
  readonly read: (output: unknown) => Found[] | undefined;
}

const checkovSchema = z.object({
  results: z.object({
    failed_checks: z.array(z.object({ check_id: z.string(), check_name: z.string(), resource: z.string() })),
  }),
});
/** `Kind.namespace.name`, or a path of the Dockerfile with its instruction. */
function checkovObject(resource: string): string {
  if (resource.includes('Dockerfile')) return 'Dockerfile';
  const [kind, , ...name] = resource.split('.');
  return `${kind!}/${name.join('.')}`;
}
function readCheckov(output: unknown): Found[] {
  return checkovSchema.parse(output).results.failed_checks.map(({ check_id: check, check_name: text, resource }) => ({
    check,
    object: checkovObject(resource),
    text,
  }));
}

const kubeScoreSchema = z.array(
  z.object({
    type_meta: z.object({ kind: z.string() }),
    object_meta: z.object({ name: z.string() }),
    checks: z.array(
      z.object({ check: z.object({ id: z.string(), name: z.string() }), grade: z.number(), skipped: z.boolean() }),
    ),
  }),
);
/** kube-score's grade of a passed check. */
const PASSED = 10;

const hadolintSchema = z.array(z.object({ code: z.string(), message: z.string() }));
const shellcheckSchema = z.array(z.object({ file: z.string(), code: z.number(), message: z.string() }));
const auditSchema = z.union([
  z.object({ vulnerabilities: z.record(z.string(), z.object({ severity: z.string() })) }),
  z.object({ error: z.unknown() }).transform(() => undefined),
]);

const scripts = ['deploy', 'scripts', 'test'].flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.sh'))
    .map((path) => join(folder, path)),
);

export const scanners: readonly Scanner[] = [
  {
    name: 'checkov',
    command: (manifests) => [
      ...['checkov', '--directory', manifests, '--framework', 'kubernetes'],
      ...['--compact', '--quiet', '--output', 'json', '--skip-download'],
    ],
    read: readCheckov,
  },
  {
    name: 'checkov-dockerfile',
    command: () => [
      ...['checkov', '--file', dockerfile, '--framework', 'dockerfile'],
      ...['--compact', '--quiet', '--output', 'json', '--skip-download'],
    ],
    read: readCheckov,
  },
  {
    name: 'kube-score',
    command: (manifests) => [
      ...['kube-score', 'score', '--output-format', 'json'],
      ...readdirSync(manifests).map((name) => join(manifests, name)),
    ],
    read: (output) =>
      kubeScoreSchema
        .parse(output)
        .flatMap(({ type_meta: { kind }, object_meta: { name }, checks }) =>
          checks
            .filter(({ grade, skipped }) => !skipped && grade < PASSED)
            .map(({ check }) => ({ check: check.id, object: `${kind}/${name}`, text: check.name })),
        ),
  },
  {
    name: 'hadolint',
    command: () => ['hadolint', '--format', 'json', dockerfile],
    read: (output) =>
      hadolintSchema.parse(output).map(({ code, message }) => ({ check: code, object: 'Dockerfile', text: message })),
  },
  {
    name: 'shellcheck',
    command: () => ['shellcheck', '--format', 'json', ...scripts, '.ci/run'],
    read: (output) =>
      shellcheckSchema
        .parse(output)
        .map(({ file, code, message }) => ({ check: `SC${code}`, object: file, text: message })),
  },
  {
    name: 'npm-audit',
    command: () => ['npm', 'audit', '--json', '--loglevel', 'silent'],
    read: (output) => {
      const found = auditSchema.parse(output)?.vulnerabilities;
      return (
        found && Object.entries(found).map(([object, { severity: text }]) => ({ check: 'advisory', object, text }))
      );
    },
  },
];

/** @returns its findings, or the reason why there are none to judge. */
export function runScanner({ name, command, read }: Scanner, manifests: string): Finding[] | string {
  const [program, ...args] = command(manifests);
  const { error, stdout, stderr } = spawnSync(program!, args, {
    encoding: 'utf8',
    timeout: LIMIT_MS,
    maxBuffer: 1 << 27,
  });
  if (error) return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'not installed' : error.message;
  try {
    const findings = read(JSON.parse(stdout));
    return findings?.map((finding) => ({ scanner: name, ...finding })) ?? 'the registry offers no audit';
  } catch (cause) {
    return `expected its JSON, got ${(cause as Error).message.slice(0, 200)}; ${stderr.slice(0, 200)}`;
  }
}
