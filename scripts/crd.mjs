// Writes the CustomResourceDefinition from the schemas; needs `npm run build`.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { crdText } from '../dist/operator/resource/crd-text.js';

const file = join(import.meta.dirname, '..', 'deploy', 'crd', 'trainingjob.yaml');
mkdirSync(join(file, '..'), { recursive: true });
writeFileSync(file, await format(crdText(), { ...(await resolveConfig(file)), filepath: file }));
