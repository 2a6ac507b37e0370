import { constants } from 'node:fs';
import { open, realpath } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { Hono } from 'hono';
import { z } from 'zod';
import type { Site } from './site.js';

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.csv': 'text/csv; charset=utf-8',
};

/** A file of the report's folder, which has no folders in it. */
const fileName = z.string().regex(/^[a-z0-9][a-z0-9-]{0,60}\.(html|svg|png|csv)$/);

/** `/report/`: the files of the report once it is written, and no other file. */
export function reportRoutes({ view }: Site): Hono {
  const routes = new Hono();
  routes.get('/report', (context) => context.redirect('/report/'));
  routes.get('/report/:file{.*}', async (context) => {
    const name = fileName.safeParse(context.req.param('file') || 'index.html');
    const content = name.success ? await readInside(view.path, name.data) : undefined;
    if (!name.success || !content) return context.json({ error: 'expected a file of the report, got none' }, 404);
    return context.body(new Uint8Array(content), 200, {
      'Content-Type': types[extname(name.data)] ?? 'application/octet-stream',
      'Cache-Control': 'no-cache',
    });
  });
  return routes;
}

/** A regular file of `report/` in the run directory; undefined for one that is missing or leads elsewhere. */
async function readInside(run: string, name: string): Promise<Buffer | undefined> {
  try {
    const path = await realpath(join(run, 'report', name));
    if (path !== join(await realpath(run), 'report', name)) return undefined;
    const file = await open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
    try {
      return (await file.stat()).isFile() ? await file.readFile() : undefined;
    } finally {
      await file.close();
    }
  } catch {
    return undefined;
  }
}
