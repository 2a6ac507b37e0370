import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { commandReference } from './commands.js';
import { eventReference } from './events.js';
import { exitCodeReference } from './exit-codes.js';
import { jobSpecReference } from './job-spec.js';
import { layerReference } from './layers.js';
import { libraryReference } from './library.js';
import { metricReference } from './metrics.js';
import { runDirectoryReference } from './run-directory.js';

const folder = join(import.meta.dirname, '..', '..', 'docs', 'reference');

/** The generated pages of docs/reference by file name. */
export const pages: Readonly<Record<string, () => string | Promise<string>>> = {
  'commands.md': commandReference,
  'events.md': eventReference,
  'exit-codes.md': exitCodeReference,
  'job-spec.md': jobSpecReference,
  'layers.md': layerReference,
  'library.md': libraryReference,
  'metrics.md': metricReference,
  'run-directory.md': runDirectoryReference,
};

/** Path and formatted text of a page. */
export async function render(name: string): Promise<{ readonly file: string; readonly text: string }> {
  const file = join(folder, name);
  const source = await pages[name]!();
  return { file, text: await format(source, { ...(await resolveConfig(file)), filepath: file }) };
}
