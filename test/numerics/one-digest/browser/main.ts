import { compileWasm, wasmRuntime } from '../../../../engine/native/load/wasm.js';
import type { Prepared } from '../prepare.js';
import { type Masks, resultsOf } from '../results.js';
import { decode } from './message.js';

/** Script of the page that `Chromium` opens: defines the function that it calls. */
Object.assign(globalThis, { digestInBrowser });

/** Input of the page: kernels, a compiled subject, and its dropout masks. */
export interface Work {
  readonly wasm: Uint8Array;
  readonly subject: Prepared;
  readonly masks: Masks;
}

/** SHA-256 of a subject's results by the WebAssembly kernels. @param message - `Work`, encoded */
async function digestInBrowser(message: string): Promise<string> {
  const { wasm, subject, masks } = decode(message) as Work;
  const runtime = wasmRuntime(compileWasm(wasm), 'a browser');
  const results = await new Blob(resultsOf({ runtime, threads: 1 }, subject, masks)).arrayBuffer();
  const digest = await crypto.subtle.digest('SHA-256', results);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
