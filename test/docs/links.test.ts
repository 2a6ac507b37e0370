import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const pages = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], { cwd: root })
  .toString()
  .trim()
  .split('\n')
  .filter((page) => existsSync(join(root, page)));

/** Markdown without code, whose links and headings don't count. */
function prose(page: string): string {
  return readFileSync(join(root, page), 'utf8').replaceAll(/^```[^]*?^```/gm, '');
}

/** Anchors of a page's headings, as GitHub makes them. */
function anchorsOf(page: string): string[] {
  const seen = new Map<string, number>();
  return [...prose(page).matchAll(/^#+ (.+)$/gm)].map(([, heading]) => {
    const text = heading!.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').replaceAll('\\', '');
    const anchor = text
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-');
    const before = seen.get(anchor) ?? 0;
    seen.set(anchor, before + 1);
    return before === 0 ? anchor : `${anchor}-${before}`;
  });
}

function brokenLinks(page: string): string[] {
  const links = [
    ...prose(page)
      .replaceAll(/`[^`\n]*`/g, '')
      .matchAll(/\]\(([^()\s]+)\)/g),
  ].map(([, link]) => link!);
  return links.filter((link) => {
    if (/^[a-z]+:/.test(link)) return false;
    const [path = '', anchor] = link.split('#');
    const target = path === '' ? page : relative(root, join(root, dirname(page), decodeURI(path)));
    if (!existsSync(join(root, target))) return true;
    return anchor !== undefined && target.endsWith('.md') && !anchorsOf(target).includes(anchor);
  });
}

it.each(pages)('every relative link and anchor in %s resolves', (page) => {
  expect(brokenLinks(page)).toEqual([]);
});

it('every test and script that docs/claims.md names exists', () => {
  const names = [...readFileSync(join(root, 'docs/claims.md'), 'utf8').matchAll(/`((?:test|npm run) ?[^`]*)`/g)];
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: object };
  const missing = names
    .map(([, name]) => name!)
    .filter((name) => (name.startsWith('npm run ') ? !(name.slice(8) in scripts) : !existsSync(join(root, name))));
  expect(names.length).toBeGreaterThan(40);
  expect(missing).toEqual([]);
});
