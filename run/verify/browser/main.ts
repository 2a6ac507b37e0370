import { formatCount, formatPlural } from '../../report/format.js';
import { compareBits, describeValue, nameValue } from '../compare-values.js';
import { dataId, type PageData, type ValueRange } from '../page-data.js';
import { compute, decodeInputs, expectedResults, type Results } from './compute.js';

/** Script of the page: computes the shard when the page is opened, and shows what it finds. */

/** A result's name, as text and as the key of its vectors, and the names of its values. */
interface Row {
  readonly title: string;
  readonly key: 'gradient' | 'statistics' | 'loss';
  readonly ranges: readonly ValueRange[];
}

const byId = (id: string) => document.getElementById(id)!;
const verdict = byId('verdict');
const again = byId('again') as HTMLButtonElement;
const data = JSON.parse(byId(dataId).textContent) as PageData;
const rows: readonly Row[] = [
  { title: 'Gradient', key: 'gradient', ranges: data.parameters },
  ...(data.state.length > 0 ? [{ title: 'Batch statistics', key: 'statistics', ranges: data.state } as const] : []),
  { title: 'Loss', key: 'loss', ranges: [] },
];

byId('browser').textContent = navigator.userAgent;
again.addEventListener('click', () => void verify());
void verify();

async function verify(): Promise<void> {
  again.disabled = true;
  show('running', 'Computing …', '');
  await painted();
  try {
    await computeAndCompare();
  } catch (error) {
    show('failed', 'Not verified.', `Verify in this browser: ${(error as Error).message}.`);
  }
  again.disabled = false;
}

async function computeAndCompare(): Promise<void> {
  const inputs = decodeInputs(data);
  byId('input-rows').replaceChildren(
    ...(await Promise.all(
      inputNames.map(async ([key, title]) => {
        const bytes = inputs[key];
        return tableRow(title, text('td', formatCount(bytes.length), 'n'), cell(text('code', await sha256(bytes))));
      }),
    )),
  );
  const expected = expectedResults(data);
  const computed = await compute(data, inputs);
  byId('timing').textContent = `The kernels took ${computed.milliseconds.toFixed(0)} ms in this browser.`;
  const differences = await showResults(expected, computed);
  byId('differences').replaceChildren(...differences.map((difference) => text('li', difference)));
  const what = `${formatCount(expected.gradient.length)} values of the gradient, and all other results`;
  if (differences.length === 0) show('same', 'The bits agree.', `This browser computed the same ${what}, bit for bit.`);
  else show('different', 'The bits differ.', differences[0]!);
}

const inputNames = [
  ['plan', 'Kernel plan'],
  ['wasm', 'WebAssembly kernels'],
  ['params', 'Parameters'],
  ['images', 'Images'],
  ['labels', 'Labels'],
  ['masks', 'Dropout masks'],
] as const;

/** Fills the table. @returns the differences in words. */
async function showResults(expected: Results, computed: Results): Promise<string[]> {
  const differences: string[] = [];
  const lines: HTMLElement[] = [];
  for (const row of rows) {
    const [a, b] = [expected[row.key], computed[row.key]];
    const difference = describeDifference(row, a, b);
    if (difference !== undefined) differences.push(difference);
    const describe = async (values: Float32Array) =>
      row.key === 'loss' ? describeValue(values, 0) : sha256(new Uint8Array(values.slice().buffer));
    const title = row.key === 'loss' ? 'Loss, sum' : `${row.title}, ${formatPlural(a.length, 'value')}`;
    lines.push(resultRow(title, difference === undefined, await describe(a), await describe(b)));
  }
  const isEqual = expected.correct === computed.correct;
  const [a, b] = [String(expected.correct), String(computed.correct)];
  if (!isEqual) differences.push(`Correct predictions: ${a} expected, ${b} in this browser.`);
  lines.push(resultRow('Correct predictions', isEqual, a, b));
  byId('result-rows').replaceChildren(...lines);
  return differences;
}

function describeDifference({ title, ranges }: Row, a: Float32Array, b: Float32Array): string | undefined {
  const difference = compareBits(a, b);
  if (!difference) return undefined;
  const { count, index } = difference;
  const which = ranges.length === 0 ? '' : ` The first is ${index} (${nameValue(ranges, index)}):`;
  const values = `${describeValue(a, index)} expected, ${describeValue(b, index)} in this browser.`;
  return `${title}: ${formatCount(count)} of ${formatPlural(a.length, 'value')} differ.${which} ${values}`;
}

function resultRow(title: string, isEqual: boolean, expected: string, computed: string): HTMLElement {
  const bits = text('td', isEqual ? 'same' : 'different', isEqual ? 'same' : 'different');
  const both = cell(
    text('small', 'expected'),
    text('code', expected),
    text('small', 'this browser'),
    text('code', computed),
  );
  return tableRow(title, bits, both);
}

function tableRow(title: string, ...cells: readonly HTMLElement[]): HTMLElement {
  const row = document.createElement('tr');
  const head = text('th', title);
  head.setAttribute('scope', 'row');
  row.append(head, ...cells);
  return row;
}

function cell(...content: readonly HTMLElement[]): HTMLElement {
  const td = document.createElement('td');
  td.append(...content);
  return td;
}

function text(tag: string, content: string, className = ''): HTMLElement {
  const element = document.createElement(tag);
  element.textContent = content;
  if (className !== '') element.className = className;
  return element;
}

function show(state: 'running' | 'same' | 'different' | 'failed', title: string, detail: string): void {
  verdict.className = `verdict ${state}`;
  verdict.dataset['state'] = state;
  verdict.replaceChildren(text('strong', title), ` ${detail}`);
}

/** Hexadecimal SHA-256; browsers offer it on pages from files, from this computer and over HTTPS. */
async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  if (!isSecureContext) return 'not available over plain HTTP; bits are compared nevertheless';
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Resolves when the page shows its last change; the computation blocks it. */
function painted(): Promise<void> {
  return new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
}
