import { readFileSync } from 'node:fs';
import { JobError } from '../../job/errors.js';

/** Reads a cluster's shared secret from its file. @throws JobError BAD_OPTION if it is missing, too short or too long. */
export function readToken(file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  let token: string;
  try {
    token = readFileSync(file, 'utf8').trim();
  } catch (cause) {
    throw new JobError('BAD_OPTION', `--token-file: expected a readable file, got ${(cause as Error).message}`, {
      cause,
    });
  }
  if (token.length >= 16 && token.length <= 4096 && /^[\x21-\x7e]+$/.test(token)) return token;
  throw new JobError(
    'BAD_OPTION',
    `--token-file ${file}: expected one line of 16 to 4096 printable characters, got ${token.length}; create one with: openssl rand -hex 32`,
  );
}
