import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { JobError } from '../../job/errors.js';
import type { ClusterCertificates } from '../../transport/certificates.js';

interface CertsOptions {
  out: string;
  host: string[];
  days: number;
}

/** Host names by which processes on the coordinator's machine connect. */
const ownHosts = ['localhost', '127.0.0.1', '::1'];
const maxDays = 3_650;

/** `lockstep certs`: creates a private CA and certificates of a coordinator and its workers. */
export function certsCommand(): Command {
  return new Command('certs')
    .description('create a private CA, and certificates for mutual TLS between coordinator and workers')
    .requiredOption('--out <dir>', 'directory for the five files; existing ones are not overwritten')
    .addOption(
      new Option('--host <name>', 'host name or IP address by which workers reach the coordinator; repeatable')
        .argParser((value: string, before: string[] = []) => [...before, checkHost(value)])
        .makeOptionMandatory(),
    )
    .addOption(new Option('--days <n>', `validity in days, 1 to ${maxDays}`).argParser(days).default(365))
    .addHelpText('after', notes)
    .action(async ({ out, host, days }: CertsOptions) => {
      const names = ['ca.crt', 'coordinator.crt', 'coordinator.key', 'worker.crt', 'worker.key'];
      rejectExisting(out, names);
      const { makeCertificates } = await import('../../transport/certificates.js');
      const hosts = [...new Set([...host, ...ownHosts])];
      write(out, await makeCertificates({ hosts, days, nowMs: Date.now() }));
      console.log(describe(out, hosts, days));
    });
}

function rejectExisting(directory: string, names: readonly string[]): void {
  const existing = names.filter((name) => existsSync(join(directory, name)));
  if (existing.length === 0) return;
  throw new JobError(
    'BAD_OPTION',
    `--out ${directory}: expected none of the files to write, got ${existing.join(', ')}; ` +
      'pass another directory, or remove all five files, which belong together',
  );
}

function write(directory: string, { ca, coordinator, worker }: ClusterCertificates): void {
  const files = {
    'ca.crt': ca,
    'coordinator.crt': coordinator.cert,
    'coordinator.key': coordinator.key,
    'worker.crt': worker.cert,
    'worker.key': worker.key,
  };
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    for (const [name, text] of Object.entries(files)) {
      writeFileSync(join(directory, name), text, { mode: 0o600, flag: 'wx' });
    }
  } catch (cause) {
    const message = `--out ${directory}: expected a writable directory, got ${(cause as Error).message}`;
    throw new JobError('BAD_OPTION', message, { cause });
  }
}

function describe(out: string, hosts: readonly string[], days: number): string {
  const [host] = hosts;
  const address = `${isIP(host!) === 6 ? `[${host}]` : host}:50061`;
  const files = (role: string) => {
    const [cert, key, ca] = [`${role}.crt`, `${role}.key`, 'ca.crt'].map((name) => join(out, name));
    return `--tls-cert ${cert} --tls-key ${key} --tls-ca ${ca} --token-file token.txt`;
  };
  return [
    `${out}: a CA, a coordinator certificate for ${hosts.join(', ')}, and a worker certificate, valid for ${days} days`,
    '',
    '(umask 077; openssl rand -hex 32 > token.txt)',
    `lockstep coordinator job.yaml --listen 0.0.0.0:50061 ${files('coordinator')}`,
    `lockstep worker --coordinator ${address} ${files('worker')}`,
    `lockstep status --coordinator ${address} ${files('worker')}`,
    '',
    'Copy worker.crt, worker.key, ca.crt and token.txt to the workers. Do not copy coordinator.key.',
    "The CA's key is not saved. To add a host, create all five files again.",
  ].join('\n');
}

function checkHost(text: string): string {
  const label = '[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?';
  if (isIP(text) !== 0 || (text.length <= 253 && new RegExp(`^${label}(\\.${label})*$`).test(text))) return text;
  throw new InvalidArgumentError('expected a host name or an IP address without port and brackets');
}

function days(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1 && value <= maxDays) return value;
  throw new InvalidArgumentError(`expected 1 to ${maxDays}`);
}

const notes = `
Example:
  lockstep certs --out certs --host gpu-1.lab --host 10.0.0.5

localhost, 127.0.0.1 and ::1 are always included.
`;
