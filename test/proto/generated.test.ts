import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const committed = join('proto', 'generated');

function filesIn(folder: string): Record<string, string> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = entries.map(({ parentPath, name }) => join(parentPath, name)).sort();
  return Object.fromEntries(paths.map((path) => [path.slice(folder.length), readFileSync(path, 'utf8')]));
}

it('the generated types match the .proto files; npm run proto updates them', () => {
  const fresh = mkdtempSync(join(tmpdir(), 'lockstep-proto-'));
  try {
    execFileSync(process.execPath, ['scripts/proto.mjs', fresh]);
    expect(filesIn(committed)).toEqual(filesIn(fresh));
  } finally {
    rmSync(fresh, { recursive: true });
  }
});
