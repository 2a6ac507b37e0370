// Downloads a file listed in scripts/downloads.json and verifies its SHA-256: node scripts/fetch.mjs NAME TARGET
// TARGET is written completely or not at all. FETCH_URL is the file's address on a mirror.
import { createHash } from 'node:crypto';
import { createWriteStream, readFileSync, renameSync, rmSync } from 'node:fs';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** Time limit for one file of 250 to 400 MB. */
const LIMIT_MS = 30 * 60_000;

const [name, target] = process.argv.slice(2);
const records = JSON.parse(readFileSync(new URL('downloads.json', import.meta.url), 'utf8'));
if (target === undefined || !Object.hasOwn(records, name)) {
  console.error(`fetch: expected NAME TARGET with NAME one of ${Object.keys(records).join(', ')}, got ${name}`);
  process.exit(2);
}
const { url: recorded, sha256 } = records[name];
const url = process.env.FETCH_URL ?? recorded;
const part = `${target}.part`;
try {
  const found = await receive(url, part);
  if (found !== sha256) throw new Error(`expected SHA-256 ${sha256}, got ${found}; removed`);
  renameSync(part, target);
} catch (error) {
  rmSync(part, { force: true });
  console.error(`fetch: ${name} from ${url}: ${error.cause?.message ?? error.message}`);
  process.exitCode = 1;
}

/** Downloads to `file`. @returns its SHA-256. */
async function receive(url, file) {
  const response = await fetch(url, { signal: AbortSignal.timeout(LIMIT_MS) });
  if (!response.ok || response.body === null) throw new Error(`expected the file, got HTTP status ${response.status}`);
  const hash = createHash('sha256');
  const hashing = new Transform({
    transform(chunk, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  await pipeline(Readable.fromWeb(response.body), hashing, createWriteStream(file));
  return hash.digest('hex');
}
