import type { HistoryReply, StatusReply } from '../../proto/messages.js';
import { isOver } from '../control/control-client.js';
import { progressLine } from '../control/describe-status.js';
import { describeNote } from './view.js';

const everyMs = 10_000;

/** Status as lines of text: one per 10 s and per change of state, and one per note. */
export class PlainLines {
  #printed: { readonly state: string; readonly atMs: number } | undefined;
  #lastNoteMs = -Infinity;

  constructor(private readonly print: (line: string) => void) {}

  status(status: StatusReply, nowMs: number): void {
    const { state, reason, lossMean } = status;
    const printed = this.#printed;
    if (printed?.state === state && nowMs - printed.atMs < everyMs && !isOver(status)) return;
    this.#printed = { state, atMs: nowMs };
    const why = state === 'training' ? '' : ` (${reason})`;
    this.print(`${state}${why}: ${progressLine(status)}, loss ${lossMean.toFixed(4)}`);
  }

  notes({ notes }: HistoryReply): void {
    for (const note of notes.filter(({ timeMs }) => timeMs > this.#lastNoteMs)) this.print(describeNote(note));
    this.#lastNoteMs = notes.at(-1)?.timeMs ?? this.#lastNoteMs;
  }

  away(reason: string): void {
    this.print(reason);
  }
}
