// Writes docs/reference/layers.md from the table of supported layers; needs `npm run build`.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { layerReference } from '../dist/engine/model/topology/reference.js';

const file = join(import.meta.dirname, '..', 'docs', 'reference', 'layers.md');
writeFileSync(file, await format(layerReference(), { ...(await resolveConfig(file)), filepath: file }));
