import { basename } from 'node:path';
import { html, raw } from 'hono/html';
import type { ModelLayout, WeightInfo } from '../../engine/engine.js';
import { epochOf } from '../../job/plan.js';
import { checkpointName } from '../checkpoint/checkpoint-decisions.js';
import { formatCount, formatPlural } from '../report/format.js';
import { htmlPage, type Html } from '../report/html-page.js';
import { pageStyle } from '../report/page-style.js';
import type { ComputedShard } from './compute-shard.js';
import { dataId, type PageData, type ShardInputs, type ValueRange } from './page-data.js';
import type { VerifyScript } from './script.js';
import type { ShardTask } from './shard-task.js';
import { verifyStyle } from './style.js';
import type { VerifyPage } from './verify-page.js';

/** Most bytes of data in a page; base64 adds a third. */
const mostBytes = 64 * 2 ** 20;

/** The page as one HTML file, which refers to no other. */
export function renderVerifyPage(task: ShardTask, computed: ComputedShard, script: VerifyScript): VerifyPage {
  const bytes = bytesIn(computed);
  if (bytes > mostBytes) {
    return { reason: `the page would have ${inMiB(bytes)} of data, more than ${inMiB(mostBytes)}` };
  }
  const json = JSON.stringify(pageData(computed, task.samples.length)).replaceAll('<', '\\u003c');
  const { spec, dataset } = computed.manifest;
  const page = htmlPage({
    title: `Verify ${spec.name}: step ${task.step}, shard ${task.shard}`,
    head: html`<meta http-equiv="Content-Security-Policy" content="${policy(script)}" />
      <style>
        ${raw(pageStyle() + verifyStyle)}
      </style>`,
    body: html`<main>
        <header>
          <h1>Verify ${spec.name} in this browser</h1>
          <p class="note">Step ${formatCount(task.step)}, shard ${task.shard} · ${spec.model} on ${dataset.title}</p>
        </header>
        <div id="verdict" class="verdict" role="status">
          This page needs JavaScript: the check hasn’t started. Either it’s off, or this page was written by another
          version of Lockstep than the one that serves it; open the file itself then.
        </div>
        ${resultSection()} ${explanation(task, computed)} ${inputSection()} ${factSection(task, computed)}
      </main>
      ${raw(`<script type="application/json" id="${dataId}">${json}</script>`)}
      ${raw(`<script>${script.code}</script>`)}`,
  });
  return { shard: task.shard, step: task.step, html: page };
}

/** Bytes of inputs and results. */
function bytesIn({ inputs, result }: ComputedShard): number {
  const views: readonly ArrayBufferView[] = [...Object.values({ ...inputs }), result.gradient, result.statistics];
  return views.reduce((sum, { byteLength }) => sum + byteLength, 0);
}

function inMiB(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)} MiB`;
}

function policy({ source }: VerifyScript): string {
  return `default-src 'none'; base-uri 'none'; style-src 'unsafe-inline'; script-src ${source} 'wasm-unsafe-eval'`;
}

function pageData({ manifest, layout, inputs, result }: ComputedShard, batch: number): PageData {
  const { gradient, statistics, lossSum, correct } = result;
  return {
    batch,
    classes: manifest.dataset.classes.length,
    ...rangesOf(layout),
    inputs: encodeAll(inputs),
    expected: {
      gradient: base64(gradient),
      statistics: base64(statistics),
      loss: base64(Float32Array.of(lossSum)),
      correct,
    },
  };
}

function rangesOf({ parameters, state }: ModelLayout): { parameters: ValueRange[]; state: ValueRange[] } {
  const range = ({ name, offset, size }: WeightInfo) => ({ name, offset, size });
  return { parameters: parameters.map(range), state: state.map(range) };
}

function encodeAll({ plan, wasm, params, images, labels, masks }: ShardInputs<Uint8Array>): ShardInputs<string> {
  const [p, w, v, i, l, m] = [plan, wasm, params, images, labels, masks].map(base64) as [
    ...[string, string, string],
    ...[string, string, string],
  ];
  return { plan: p, wasm: w, params: v, images: i, labels: l, masks: m };
}

function base64({ buffer, byteOffset, byteLength }: ArrayBufferView): string {
  return Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength).toString('base64');
}

/** Filled by the script. */
function resultSection(): Html {
  return html`<section aria-labelledby="results">
    <h2 id="results">Results</h2>
    <div class="scroll" role="region" aria-labelledby="results" tabindex="0">
      <table class="wide-table stack">
        <thead>
          <tr>
            <th scope="col">Result</th>
            <th scope="col">Bits</th>
            <th scope="col">Values, or their SHA-256</th>
          </tr>
        </thead>
        <tbody id="result-rows"></tbody>
      </table>
    </div>
    <ul id="differences" class="differences"></ul>
    <p class="note" id="timing"></p>
    <button id="again" type="button" disabled>Compute again</button>
  </section>`;
}

function explanation({ step, shard, samples }: ShardTask, { manifest, runtime, stepsPerEpoch }: ComputedShard): Html {
  const { isa, reason } = runtime;
  const kernels = isa === 'wasm' ? 'WebAssembly kernels' : `${isa} kernels`;
  return html`<section>
    <h2>What is compared</h2>
    <p>
      In step ${formatCount(step)} (epoch ${epochOf({ stepsPerEpoch }, step).epoch + 1}), shard ${shard} of
      ${manifest.shards.length} contributed ${formatPlural(samples.length, 'training image')}. Their gradient, loss,
      correct predictions and batch statistics are computed twice from the parameters of checkpoint
      <code>${checkpointName(step)}</code>, the images after augmentation, their labels and the dropout masks:
    </p>
    <ol>
      <li>
        by the computer that wrote this page, when it wrote it: Lockstep’s ${kernels} on ${process.platform}
        ${process.arch} (${reason});
      </li>
      <li>by this browser, now: Lockstep’s WebAssembly kernels.</li>
    </ol>
    <p>
      Equal bits show that this browser’s arithmetic is that of the other computer. A run doesn’t record the gradients
      of single shards, so the first result isn’t taken from the training itself. All inputs come from whoever wrote
      this page; compare their SHA-256 with your own.
    </p>
  </section>`;
}

/** Filled by the script. */
function inputSection(): Html {
  return html`<section aria-labelledby="inputs">
    <h2 id="inputs">Inputs</h2>
    <p class="note">
      All are in this file. The kernel plan lists the operations in their order; Lockstep compiled it from the model in
      the run’s folder when this page was written, not this browser. Nothing is sent anywhere.
    </p>
    <div class="scroll" role="region" aria-labelledby="inputs" tabindex="0">
      <table class="wide-table stack">
        <thead>
          <tr>
            <th scope="col">Input</th>
            <th scope="col" class="n">Bytes</th>
            <th scope="col">SHA-256, computed in this browser</th>
          </tr>
        </thead>
        <tbody id="input-rows"></tbody>
      </table>
    </div>
  </section>`;
}

function factSection({ run, samples }: ShardTask, { manifest }: ComputedShard): Html {
  return html`<section>
    <h2>Run</h2>
    <table>
      ${[
        ['Run', basename(run)],
        ['Job digest', manifest.digest],
        ['Dataset digest', manifest.dataset.digest],
        ['Arithmetic', `Lockstep arithmetic ${manifest.arithmetic}`],
      ].map(
        ([name, value]) =>
          html`<tr>
            <th scope="row">${name}</th>
            <td><code>${value}</code></td>
          </tr>`,
      )}
      <tr>
        <th scope="row">This browser</th>
        <td id="browser"></td>
      </tr>
    </table>
    <details>
      <summary>Show the ${formatPlural(samples.length, 'image')} by their index in the training set</summary>
      <pre>${[...samples].join(' ')}</pre>
    </details>
  </section>`;
}
