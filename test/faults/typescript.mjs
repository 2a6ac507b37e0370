// Lets Node run the TypeScript of tools as it is: node --import ./test/faults/typescript.mjs FILE.ts
import { register } from 'node:module';

register('./typescript-hooks.mjs', import.meta.url);
