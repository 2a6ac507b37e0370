import { readFileSync } from 'node:fs';
import { JobError } from '../../job/errors.js';

/** The shared secret of a cluster, from its file. @throws JobError BAD_OPTION when it is missing or too short to be one. */
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
    `--token-file ${file}: expected one line of 16 to 4096 printable characters, got ${token.length}; make one with: openssl rand -hex 32`,
  );
}
