import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { JobError } from '../../job/errors.js';
import { checkIdentity, describeExpiry, type TlsIdentity, type TlsRole } from '../../transport/tls-identity.js';

/** Interval between reads. Kubernetes takes about a minute to update a changed Secret in a pod. */
const pollMs = 30_000;
const dayMs = 86_400_000;

/** Paths of an identity's files. */
export interface TlsPaths {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

type Pems = Pick<TlsIdentity, 'cert' | 'key' | 'ca'>;

/**
 * A TLS identity from three files that may be replaced while the process runs. New connections use the new files; open
 * connections stay. Files that don't match, as during a replacement, are ignored.
 */
export class TlsFiles implements TlsIdentity {
  #current: Pems;
  readonly #listeners: (() => void)[] = [];
  /** Rejected content or error of the last check; reported if the next check is rejected for the same. */
  #refused: string | undefined;
  #reported: string | undefined;
  #noticedMs = -Infinity;

  /** @throws JobError BAD_OPTION */
  constructor(
    private readonly paths: TlsPaths,
    private readonly role: TlsRole,
    readonly serverName?: string,
  ) {
    this.#current = {
      cert: readPem(paths.cert, '--tls-cert'),
      key: readPem(paths.key, '--tls-key'),
      ca: readPem(paths.ca, '--tls-ca'),
    };
    checkIdentity(this.#current, role, Date.now());
  }

  get cert(): string {
    return this.#current.cert;
  }
  get key(): string {
    return this.#current.key;
  }
  get ca(): string {
    return this.#current.ca;
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Checks the files every 30 s without keeping the process alive. @returns a function that stops the checks. */
  watch(log: (message: string) => void): () => void {
    const timer = setInterval(() => void this.check(Date.now(), log), pollMs).unref();
    return () => clearInterval(timer);
  }

  /**
   * Reloads the files if they have changed and are a valid identity. Logs reloads, files that stay invalid, and once a
   * day a certificate that is about to expire.
   */
  async check(nowMs: number, log: (message: string) => void): Promise<void> {
    const found = await this.#read(nowMs);
    if ('problem' in found) this.#refuse(found, log);
    else {
      this.#refused = this.#reported = undefined;
      if (found.isNew) this.#take(found.pems, log);
    }
    const expiry = describeExpiry(this.#current, nowMs);
    if (expiry === undefined || nowMs - this.#noticedMs < dayMs) return;
    this.#noticedMs = nowMs;
    log(expiry);
  }

  async #read(
    nowMs: number,
  ): Promise<
    { readonly pems: Pems; readonly isNew: boolean } | { readonly problem: string; readonly content: string }
  > {
    const { cert, key, ca } = this.paths;
    let content = '';
    try {
      const [certPem, keyPem, caPem] = await Promise.all([cert, key, ca].map((path) => readFile(path, 'utf8')));
      const pems = { cert: certPem!, key: keyPem!, ca: caPem! };
      content = Object.values(pems).join('\0');
      const isNew = (['cert', 'key', 'ca'] as const).some((part) => pems[part] !== this.#current[part]);
      if (isNew) {
        checkIdentity(pems, this.role, nowMs);
        // OpenSSL may reject more, such as a short key.
        createSecureContext(pems);
      }
      return { pems, isNew };
    } catch (error) {
      const { message } = error as Error;
      return { problem: message, content: content === '' ? message : content };
    }
  }

  #take(pems: Pems, log: (message: string) => void): void {
    this.#current = pems;
    this.#noticedMs = -Infinity;
    for (const listener of this.#listeners) listener();
    log(`TLS: reloaded ${this.paths.cert}, its key and CA; new connections use them`);
  }

  /** Reports on the second check only, because the first may run while the files are being replaced. */
  #refuse(
    { problem, content }: { readonly problem: string; readonly content: string },
    log: (message: string) => void,
  ) {
    if (this.#refused === content && this.#reported !== content) {
      this.#reported = content;
      log(`TLS: the changed certificate files are invalid; keeping the previous ones: ${problem}`);
    }
    this.#refused = content;
  }
}

function readPem(file: string, option: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const message = `${option}: expected a readable file, got ${(cause as Error).message}`;
    throw new JobError('BAD_OPTION', message, { cause });
  }
}
