import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { findProgram } from '../programs.js';

const run = promisify(execFile);
const limitMs = 30_000;

/** Reason why there is no kubectl; undefined if there is one. */
export const kubectlMissing = findProgram(['kubectl']) === undefined ? 'kubectl is not on PATH' : undefined;

/** Standard output of kubectl. @throws with its standard error if it fails. */
export async function kubectl(kubeconfig: string, ...args: string[]): Promise<string> {
  const { stdout } = await run('kubectl', ['--kubeconfig', kubeconfig, ...args], { timeout: limitMs });
  return stdout;
}

/** Rows of `kubectl get … ` by column title; empty cells are empty strings. */
export function parseTable(text: string): Record<string, string>[] {
  const [header = '', ...lines] = text.trimEnd().split('\n');
  const columns = [...header.matchAll(/\S+(?: \S+)*/g)].map((match) => ({ title: match[0], start: match.index }));
  return lines.map((line) =>
    Object.fromEntries(
      columns.map(({ title, start }, index) => [title, line.slice(start, columns[index + 1]?.start).trim()]),
    ),
  );
}
