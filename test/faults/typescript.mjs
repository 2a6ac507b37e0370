// Lets Node run the tools' TypeScript directly: node --import ./test/faults/typescript.mjs FILE.ts
import { register } from 'node:module';

register('./typescript-hooks.mjs', import.meta.url);
