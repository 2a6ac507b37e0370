import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import {
  checkJobName,
  checkSignIn,
  checkToken,
  type NatsAddress,
  type NatsSignIn,
  parseNatsUrl,
} from '../../nats/address.js';
import type { NatsOptions, OpenNats } from '../../nats/open.js';
import { sealOf } from '../../nats/seal.js';
import { JobError } from '../../job/errors.js';
import type { JobSpec } from '../../job/spec.js';

/** Parsed options of `addNatsConnection`. */
export interface NatsConnectionFlags {
  nats?: string | undefined;
  natsCreds?: string | undefined;
  natsTokenFile?: string | undefined;
  natsUser?: string | undefined;
  natsPasswordFile?: string | undefined;
  natsCa?: string | undefined;
  insecure?: boolean | undefined;
}

/** Parsed options of `addNatsOptions`. */
export interface NatsFlags extends NatsConnectionFlags {
  natsJob?: string | undefined;
  natsStartOver?: boolean | undefined;
}

/** Adds the options of a connection to NATS, except `--insecure`. */
export function addNatsConnection(command: Command, help: string): Command {
  return command
    .addOption(new Option('--nats <url>', help).env('LOCKSTEP_NATS'))
    .option('--nats-creds <file>', 'sign in to NATS with a credentials file (user JWT and seed)')
    .option('--nats-token-file <file>', 'sign in to NATS with the token in this file')
    .option('--nats-user <name>', 'sign in to NATS as this user; requires --nats-password-file')
    .option('--nats-password-file <file>', "file with that user's password")
    .option('--nats-ca <file>', "CA of the NATS server's certificate, PEM; with tls:// (default: the system's CAs)");
}

/** Adds the NATS options of commands that run a job. */
export function addNatsOptions(command: Command): Command {
  return addNatsConnection(
    command,
    'publish events, metrics and checkpoints to NATS, and accept control requests from there',
  )
    .option('--nats-job <name>', 'name of the job in NATS (default: the name in the spec)')
    .option(
      '--nats-start-over',
      'train from the first step if the run stored in NATS is damaged or not signed with the token',
    );
}

/** @returns undefined without `--nats`. @throws JobError BAD_OPTION */
export function resolveNats(flags: NatsFlags, specName: string, token: string | undefined): NatsOptions | undefined {
  const address = readAddress(flags);
  if (address) {
    checkToken(address, token, flags.insecure ?? false);
    const job = checkJobName(flags.natsJob ?? specName);
    return { address, job, seal: sealOf(token), startOver: flags.natsStartOver ?? false };
  }
  if (flags.natsJob !== undefined) throw alone('--nats-job');
  if (flags.natsStartOver) throw alone('--nats-start-over');
  return undefined;
}

/** Address and credentials of NATS; undefined without `--nats`. @throws JobError BAD_OPTION */
export function readAddress(flags: NatsConnectionFlags): NatsAddress | undefined {
  if (flags.nats === undefined) {
    const [flag] = natsFlagsOf(flags);
    if (flag !== undefined) throw alone(flag);
    return undefined;
  }
  const address = { ...parseNatsUrl(flags.nats), ...readSignIn(flags) };
  checkSignIn(address, flags.insecure ?? false);
  if (flags.natsCa === undefined) return address;
  if (address.tls) return { ...address, ca: readCa(flags.natsCa) };
  throw new JobError('BAD_OPTION', '--nats-ca: expected --nats tls://HOST:PORT with it, got nats://');
}

/** Connection flags that were passed, except `--nats`. */
export function natsFlagsOf(flags: NatsConnectionFlags): string[] {
  const given = {
    '--nats-creds': flags.natsCreds,
    '--nats-token-file': flags.natsTokenFile,
    '--nats-user': flags.natsUser,
    '--nats-password-file': flags.natsPasswordFile,
    '--nats-ca': flags.natsCa,
  };
  return Object.entries(given).flatMap(([flag, value]) => (value === undefined ? [] : [flag]));
}

/** Claims the job in NATS; undefined without `--nats`. Call it before creating the coordinator. */
export async function openNatsFor(
  options: { readonly nats?: NatsOptions | undefined; readonly spec: JobSpec; readonly runDirectory: string },
  onNote: (message: string) => void,
): Promise<OpenNats | undefined> {
  if (!options.nats) return undefined;
  const { openNats } = await import('../../nats/open.js');
  return openNats({ ...options.nats, spec: options.spec, runDirectory: options.runDirectory, onNote });
}

function readSignIn({ natsCreds, natsTokenFile, natsUser, natsPasswordFile }: NatsConnectionFlags): {
  readonly signIn?: NatsSignIn;
} {
  const ways = [
    ...(natsCreds === undefined ? [] : ['--nats-creds']),
    ...(natsTokenFile === undefined ? [] : ['--nats-token-file']),
    ...(natsUser === undefined && natsPasswordFile === undefined ? [] : ['--nats-user with --nats-password-file']),
  ];
  if (ways.length > 1) {
    throw new JobError('BAD_OPTION', `${ways.join(', ')}: expected one way to sign in to NATS, got ${ways.length}`);
  }
  if (natsCreds !== undefined) return { signIn: { creds: readBytes('--nats-creds', natsCreds) } };
  if (natsTokenFile !== undefined) return { signIn: { token: readSecret('--nats-token-file', natsTokenFile) } };
  if (natsUser !== undefined && natsPasswordFile !== undefined) {
    return { signIn: { user: natsUser, pass: readSecret('--nats-password-file', natsPasswordFile) } };
  }
  if (ways.length === 0) return {};
  const [given, missing] = ['--nats-user', '--nats-password-file'];
  const isUser = natsUser !== undefined;
  throw new JobError(
    'BAD_OPTION',
    `${isUser ? given : missing}: expected ${isUser ? missing : given} with it, got none`,
  );
}

/** Content of a file with one line. */
function readSecret(option: string, file: string): string {
  const secret = readBytes(option, file).toString('utf8').trim();
  if (secret.length > 0 && secret.length <= 4096 && /^[^\p{Cc}]+$/u.test(secret)) return secret;
  const expected = 'one line of 1 to 4096 characters';
  throw new JobError('BAD_OPTION', `${option} ${file}: expected ${expected}, got something else`);
}

function readCa(file: string): string {
  const pem = readBytes('--nats-ca', file).toString('utf8');
  try {
    void new X509Certificate(pem);
    return pem;
  } catch (cause) {
    const message = `--nats-ca ${file}: expected a certificate in PEM, got ${(cause as Error).message}`;
    throw new JobError('BAD_OPTION', message, { cause });
  }
}

function readBytes(option: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    const message = `${option}: expected a readable file, got ${(cause as Error).message}`;
    throw new JobError('BAD_OPTION', message, { cause });
  }
}

function alone(flag: string): JobError {
  return new JobError('BAD_OPTION', `${flag}: expected --nats URL with it, got none`);
}
