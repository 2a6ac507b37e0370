import { stripVTControlCharacters } from 'node:util';
import { formatCount, formatPlural, formatShare } from '../../run/report/format.js';
import type { HistoryReply, Note, StatusReply } from '../../proto/messages.js';
import { isOver } from '../control/control-client.js';
import { doubtLines, keptLine, progressLine, testLine, trainingLine, workerCells } from '../control/describe-status.js';
import { drawCurve } from './braille.js';

/** Data to display. */
export interface WatchModel {
  readonly status: StatusReply | undefined;
  readonly history: HistoryReply | undefined;
  /** Reason for missing updates; undefined while connected. */
  readonly away: string | undefined;
}

export interface WatchSize {
  readonly columns: number;
  readonly rows: number;
}

/** Marks emphasised text; the identity on terminals without colours. */
export type Emphasis = (kind: 'strong' | 'quiet' | 'good' | 'bad', text: string) => string;

const leftMargin = 9;
/** Maximum number of workers and notes; `low` applies to screens of less than 30 rows. */
const most = { high: { workers: 8, notes: 6 }, low: { workers: 4, notes: 2 } };

/** Renders the screen: at most `rows` lines of at most `columns` characters. */
export function renderWatch(model: WatchModel, size: WatchSize, mark: Emphasis): string[] {
  const { status, history, away } = model;
  if (!status) return fit([away ?? 'connecting to the coordinator…', '', leaveHint], size, mark);
  const { workers, notes } = size.rows < 30 ? most.low : most.high;
  const above = [...headLines(status, away), '', barLine(status, size.columns), progressLine(status), ''];
  const below = [
    '',
    trainingLine(status),
    testLine(status),
    ...doubtLines(status),
    keptLine(status),
    '',
    ...workerLines(status, workers),
    ...noteLines((history?.notes ?? []).slice(-notes)),
    '',
    isOver(status) ? '' : leaveHint,
  ];
  const left = size.rows - above.length - below.length;
  return fit([...above, ...curveLines(history, size.columns, Math.min(16, left)), ...below], size, mark);
}

const leaveHint = 'q or Ctrl-C quits; the run continues';

function headLines({ job, model, dataset, state, reason }: StatusReply, away: string | undefined): string[] {
  return [`${job}: ${model} on ${dataset}`, away === undefined ? `${state}: ${reason}` : `DISCONNECTED: ${away}`];
}

/** Progress bar of 10 to 60 columns. */
function barLine({ step, totalSteps }: StatusReply, columns: number): string {
  const width = Math.max(10, Math.min(60, columns - 12));
  const share = totalSteps === 0 ? 0 : step / totalSteps;
  const full = Math.floor(share * width);
  return `${'█'.repeat(full)}${'░'.repeat(width - full)}  ${formatShare(share)}`;
}

/** Loss curve with axes; empty if the screen is too small or there are fewer than two steps. */
function curveLines(history: HistoryReply | undefined, columns: number, rows: number): string[] {
  const width = Math.min(120, columns - leftMargin - 2);
  if (!history || history.steps.length < 2 || rows < 4 || width < 10) return [];
  const points = history.steps.map((step, i) => ({ x: step, y: history.losses[i]! }));
  const { rows: lines, top, bottom } = drawCurve(points, width, rows - 1);
  const label = (i: number) => (i === 0 ? top.toFixed(3) : i === lines.length - 1 ? bottom.toFixed(3) : '');
  const [first, last] = [`step ${formatCount(points[0]!.x)}`, formatCount(points.at(-1)!.x)];
  const axis = `${' '.repeat(leftMargin + 1)}${first}${last.padStart(Math.max(1, width - first.length))}`;
  return [...lines.map((line, i) => `${label(i).padStart(leftMargin - 1)} ┤${line}`), axis];
}

function workerLines({ workers, generation }: StatusReply, most: number): string[] {
  const shown = workers.slice(0, most).map(workerCells);
  const widths = shown[0]?.map((_, i) => Math.max(...shown.map((cells) => cells[i]!.length))) ?? [];
  const rows = shown.map((cells) => `  ${cells.map((cell, i) => cell.padEnd(widths[i]!)).join('  ')}`);
  const more = workers.length > shown.length ? [`  … and ${workers.length - shown.length} more`] : [];
  return [`${formatPlural(workers.length, 'worker')}, generation ${generation}`, ...rows, ...more];
}

function noteLines(notes: readonly Note[]): string[] {
  if (notes.length === 0) return [];
  return ['', ...notes.map(describeNote)];
}

/** Formats a note with its time of day. */
export function describeNote({ timeMs, text }: Note): string {
  return `${new Date(timeMs).toTimeString().slice(0, 8)}  ${text}`;
}

/** Cuts lines to the screen size, removes control characters, and applies emphasis. */
function fit(lines: readonly string[], { columns, rows }: WatchSize, mark: Emphasis): string[] {
  return lines.slice(0, rows).map((line, i) => {
    const plain = [...stripVTControlCharacters(line).replaceAll(/\p{Cc}/gu, ' ')].slice(0, columns).join('');
    if (i === 0) return mark('strong', plain);
    if (/^(DISCONNECTED|NUMERICS FAULTS|SYNTHETIC DATA|failed)/.test(plain)) return mark('bad', plain);
    if (/^(training|evaluating|reporting|finished):/.test(plain)) return mark('good', plain);
    return plain === leaveHint || /^\d\d:\d\d:\d\d {2}/.test(plain) ? mark('quiet', plain) : plain;
  });
}
