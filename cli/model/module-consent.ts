import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { JobError } from '../../job/errors.js';
import { isModule } from '../../job/models.js';
import type { JobSpec } from '../../job/spec.js';
import { readModelText } from './model-file.js';

/** Time limit for the user's answer. */
const answerLimitMs = 300_000;

/** A spec that may name a module, and the source of that name. */
export interface ModuleRequest {
  readonly spec: Pick<JobSpec, 'model' | 'topology'>;
  /** The file that names the model; undefined if the command line or a preset does. */
  readonly namedIn: string | undefined;
  /** `--allow-module` */
  readonly allow: boolean;
  /** True if the user can be prompted. */
  readonly isTerminal: boolean;
}

/** `run` also if the spec names no module. */
export type Consent = { readonly decision: 'run' | 'ask' } | { readonly decision: 'refuse'; readonly reason: string };

/**
 * Decides whether a spec's module may run. A module named on the command line is the user's choice; one named in a
 * file may be somebody else's.
 */
export function decideConsent({ spec, namedIn, allow, isTerminal }: ModuleRequest): Consent {
  const isInFile = spec.topology === undefined && isModule(spec.model) && namedIn !== undefined;
  if (!isInFile) return allow ? { decision: 'refuse', reason: describeUnused(spec) } : { decision: 'run' };
  if (allow) return { decision: 'run' };
  return isTerminal
    ? { decision: 'ask' }
    : { decision: 'refuse', reason: describeRefusal(spec.model, namedIn, 'none') };
}

/** Streams of the prompt, which is shown only if both are a terminal. */
export interface ConsentTerminal {
  readonly input: Readable & { readonly isTTY?: boolean };
  readonly output: Writable & { readonly isTTY?: boolean };
}

/**
 * Requires the user's consent to run the module that a file names. Returns immediately if it names none.
 * @throws JobError BAD_OPTION without consent; BAD_MODEL if the module can't be read.
 */
export async function requireConsent(
  request: Omit<ModuleRequest, 'isTerminal'>,
  terminal: ConsentTerminal = { input: process.stdin, output: process.stderr },
): Promise<void> {
  const isTerminal = terminal.input.isTTY === true && terminal.output.isTTY === true;
  const consent = decideConsent({ ...request, isTerminal });
  if (consent.decision === 'run') return;
  if (consent.decision === 'refuse') throw new JobError('BAD_OPTION', consent.reason);
  const { model } = request.spec;
  const namedIn = request.namedIn!;
  if (!(await ask(await question(model, namedIn), terminal))) {
    throw new JobError('BAD_OPTION', describeRefusal(model, namedIn, 'no'));
  }
}

async function question(model: string, namedIn: string): Promise<string> {
  const digest = createHash('sha256')
    .update(await readModelText(model))
    .digest('hex');
  return (
    `${visible(namedIn)} names a module that will be run to build the model:\n` +
    `  ${visible(resolve(model))}\n  SHA-256 ${digest}\n` +
    'A module is not sandboxed. It can do everything you can: read and change your files, use the network.\n' +
    'Run it? [y/N] '
  );
}

/** Prompts the user. Anything except y or yes means no, including end of input and a timeout. */
async function ask(text: string, { input, output }: ConsentTerminal): Promise<boolean> {
  const lines = createInterface({ input, terminal: false });
  let timer: NodeJS.Timeout | undefined;
  const answer = new Promise<string>((settle) => {
    lines.once('line', settle).once('close', () => settle(''));
    timer = setTimeout(() => settle(''), answerLimitMs);
  });
  output.write(text);
  try {
    return /^y(es)?$/i.test((await answer).trim());
  } finally {
    clearTimeout(timer);
    lines.close();
  }
}

function describeRefusal(model: string, namedIn: string, found: string): string {
  return (
    `model ${visible(resolve(model))}: expected consent to run this module, got ${found}; ${visible(namedIn)} names it, ` +
    'and a module can do everything you can; review it, then pass --allow-module'
  );
}

function describeUnused({ model, topology }: ModuleRequest['spec']): string {
  const found = topology === undefined && isModule(model) ? 'a module named on the command line' : 'a job without one';
  return `--allow-module: expected a job file that names a module, got ${found}; remove --allow-module`;
}

/** A path with control characters escaped, because they could change what the terminal shows. */
function visible(path: string): string {
  return path.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, (char) => `\\u{${char.codePointAt(0)!.toString(16)}}`);
}
