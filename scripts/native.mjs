// Builds engine/native/prebuilt/ from engine/native/kernels/ for every target, with a pinned zig; the same sources give
// the same bytes anywhere. npm run native [-- --check] [-- --only <target>]
//   --check: builds with empty caches, compares with engine/native/prebuilt/, changes nothing; fails where it cannot build
//   --only:  builds one target and its manifest entry, for development
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildTarget, stageSources } from './native/build.mjs';
import { compareWithPrebuilt, writePrebuilt } from './native/prebuilt.mjs';
import { checkRelaxedSimd } from './native/relaxed-simd.mjs';
import { targets } from './native/targets.mjs';
import { findZig, zigCache } from './native/zig.mjs';

const { values } = parseArgs({ options: { check: { type: 'boolean' }, only: { type: 'string' } } });
const chosen = targets.filter((target) => values.only === undefined || target.name === values.only);
if (chosen.length === 0) {
  const names = targets.map((target) => target.name).join(', ');
  throw new Error(`native: expected --only with one of ${names}, got ${values.only}`);
}

const zig = findZig();
const work = mkdtempSync(join(tmpdir(), 'lockstep-native-'));
const cache = values.check ? join(work, 'cache') : zigCache;
try {
  stageSources(work);
  const built = chosen.map((target) => {
    const bytes = buildTarget(zig, work, cache, target);
    if (target.name === 'wasm') checkRelaxedSimd(bytes);
    console.log(`native: ${target.file}, ${bytes.length} bytes`);
    return { target, bytes };
  });
  if (values.check) compareWithPrebuilt(built);
  else writePrebuilt(built);
} finally {
  rmSync(work, { recursive: true, force: true });
}
