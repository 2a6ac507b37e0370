// Writes the page of layers and their keys from the table that models are checked against, out of what `npm run build` made.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { layerReference } from '../dist/engine/topology/reference.js';

const file = join(import.meta.dirname, '..', 'docs', 'layers.md');
writeFileSync(file, await format(layerReference(), { ...(await resolveConfig(file)), filepath: file }));
