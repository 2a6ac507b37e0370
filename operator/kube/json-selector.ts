import { startRawValue, bytes as marks, endOfRawValue, measure, type RawValue } from './json-raw-value.js';

export type { Measured } from './json-raw-value.js';

/**
 * Selected part of a JSON value:
 * - `all`: everything;
 * - `digest`: size and digest instead of the value, as `Measured`; `text`: also its JSON text;
 * - an object: the named fields, `*` for all others; for an array, of each element;
 * - `limit`: as `of`, or `TooLarge` if that has more bytes or is nested more deeply;
 * - `each`: the elements of an array, passed on one by one.
 */
export type Selection = 'all' | 'digest' | 'text' | Limited | Each | Fields;
interface Limited {
  readonly limit: Size;
  readonly of: 'all' | Fields;
}
interface Size {
  readonly bytes: number;
  readonly levels: number;
}
interface Each {
  readonly each: Fields;
}
export interface Fields {
  readonly [field: string]: Selection;
}

/** Replaces a value above its limit. */
export interface TooLarge {
  readonly tooLarge: Size;
}

/** Maximum depth of selected fields; our selections have at most five levels. */
const maxFrames = 32;

export function isTooLarge(value: unknown): value is TooLarge {
  return typeof value === 'object' && value !== null && typeof (value as Partial<TooLarge>).tooLarge === 'object';
}

export interface SelectorSettings {
  readonly selection: Selection;
  /** Called with each complete value; several may follow one another, as in a watch. */
  readonly onValue: (value: unknown) => void;
  /** Called with each element of an array whose selection is `each`. */
  readonly onElement?: (element: unknown) => void;
}

interface Frame {
  readonly isArray: boolean;
  readonly selection: Fields | Each;
  /** True if it has an entry, so the next one needs a comma. */
  filled: boolean;
}

interface Bound {
  readonly limit: Size;
  /** Number of frames around the value. */
  readonly depth: number;
  /** Number of pieces before the value. */
  readonly pieces: number;
  bytes: number;
  levels: number;
  over: boolean;
}

const { quote, backslash, comma, colon, openBrace, closeBrace, openBracket, closeBracket } = marks;
/** Longer keys are never selected by name. */
const maxKeyBytes = 320;

/**
 * Reads JSON as it arrives and builds only the selected parts. Memory depends on the selection, not on the input. An
 * object of 1.5 MB costs one pass over its bytes, chunk by chunk.
 *
 * The input must be valid JSON, as from the API server: skipped parts are not checked.
 */
export class JsonSelector {
  readonly #frames: Frame[] = [];
  #pieces: Buffer[] = [];
  /** Pieces around the element of an `each`. */
  #around: Buffer[] | undefined;
  #bound: Bound | undefined;
  #raw: RawValue | undefined;
  #key: Buffer[] | undefined;
  #keyBytes = 0;
  #keyEscaped = false;
  /** Selection of the next value. */
  #next: Selection | 'nothing';
  #expects: 'value' | 'key' | 'colon' | 'more' = 'value';

  constructor(private readonly settings: SelectorSettings) {
    this.#next = settings.selection;
  }

  /** True if no value is incomplete. */
  get isComplete(): boolean {
    return this.#frames.length === 0 && this.#raw === undefined;
  }

  write(chunk: Buffer): void {
    for (let at = 0; at < chunk.length;) at = this.#read(chunk, at);
  }

  /** @returns position to continue at. */
  #read(chunk: Buffer, at: number): number {
    if (this.#raw) return this.#readRaw(this.#raw, chunk, at);
    if (this.#key) return this.#readKey(this.#key, chunk, at);
    const byte = chunk[at]!;
    if (byte <= 0x20) return at + 1;
    if (byte === closeBrace || byte === closeBracket) return this.#close(byte, at);
    if (byte === comma) return this.#comma(at);
    if (this.#expects === 'value') return this.#begin(byte, at);
    if (this.#expects === 'colon' && byte === colon) this.#expects = 'value';
    else if (this.#expects === 'key' && byte === quote) [this.#key, this.#keyBytes] = [[], 0];
    else throw new SyntaxError(`JSON: expected ${this.#expects}, got ${JSON.stringify(String.fromCharCode(byte))}`);
    return at + 1;
  }

  #comma(at: number): number {
    const frame = this.#frames.at(-1);
    if (!frame) throw new SyntaxError('JSON: expected a value, got ","');
    this.#expects = frame.isArray ? 'value' : 'key';
    if (frame.isArray) this.#next = elementOf(frame.selection);
    return at + 1;
  }

  /** Starts a value. */
  #begin(byte: number, at: number): number {
    let selection = this.#next;
    this.#writeComma(selection);
    if (typeof selection === 'object' && isLimited(selection)) {
      const depth = this.#frames.length;
      this.#bound = { limit: selection.limit, depth, pieces: this.#pieces.length, bytes: 0, levels: 0, over: false };
      selection = selection.of;
    }
    const isContainer = byte === openBrace || byte === openBracket;
    if (typeof selection === 'object' && isContainer) return this.#open(selection, byte, at);
    if (this.#isElement()) selection = 'nothing';
    this.#raw = startRawValue(typeof selection === 'object' ? 'all' : selection, byte);
    return at;
  }

  #open(selection: Fields | Each, byte: number, at: number): number {
    const isArray = byte === openBracket;
    if (this.#isElement()) [this.#around, this.#pieces] = [this.#pieces, []];
    if (this.#frames.length >= maxFrames) throw new SyntaxError(`JSON: expected at most ${maxFrames} levels, got more`);
    this.#frames.push({ isArray, selection, filled: false });
    this.#put(isArray ? '[' : '{');
    this.#expects = isArray ? 'value' : 'key';
    if (isArray) this.#next = elementOf(selection);
    return at + 1;
  }

  #close(byte: number, at: number): number {
    const frame = this.#frames.pop();
    if (!frame || frame.isArray !== (byte === closeBracket))
      throw new SyntaxError('JSON: expected matching brackets, got others');
    this.#put(frame.isArray ? ']' : '}');
    this.#ended();
    return at + 1;
  }

  /** Called at the end of a value. */
  #ended(): void {
    this.#expects = 'more';
    const bound = this.#bound;
    if (bound?.depth === this.#frames.length) {
      this.#bound = undefined;
      const { over, bytes, levels } = bound;
      if (over) this.#put(JSON.stringify({ tooLarge: { bytes, levels } } satisfies TooLarge));
    }
    if (this.#around && this.#isElement()) {
      this.settings.onElement?.(parse(this.#pieces));
      [this.#pieces, this.#around] = [this.#around, undefined];
    }
    if (this.#frames.length > 0) return;
    const value = parse(this.#pieces);
    [this.#pieces, this.#expects, this.#next] = [[], 'value', this.settings.selection];
    this.settings.onValue(value);
  }

  #readKey(key: Buffer[], chunk: Buffer, at: number): number {
    const end = this.#keyEnd(chunk, at);
    const length = (end ?? chunk.length) - at;
    this.#keyBytes += length;
    if (this.#keyBytes <= maxKeyBytes) key.push(chunk.subarray(at, at + length));
    if (end === undefined) return chunk.length;
    const { selection } = this.#frames.at(-1)!;
    const name = this.#keyBytes <= maxKeyBytes ? Buffer.concat(key).toString('utf8') : undefined;
    this.#next = fieldOf(selection as Fields, name);
    if (this.#next !== 'nothing') this.#putKey(name ?? '');
    [this.#key, this.#expects] = [undefined, 'colon'];
    return end + 1;
  }

  /** Position of the key's closing quote; undefined if it isn't in this chunk. */
  #keyEnd(chunk: Buffer, at: number): number | undefined {
    for (; at < chunk.length; at += 1) {
      if (this.#keyEscaped) this.#keyEscaped = false;
      else if (chunk[at] === backslash) this.#keyEscaped = true;
      else if (chunk[at] === quote) return at;
    }
    return undefined;
  }

  /** Reads to the end of the value or the chunk, without interpreting the content. */
  #readRaw(raw: RawValue, chunk: Buffer, at: number): number {
    const end = endOfRawValue(raw, chunk, at);
    const bytes = chunk.subarray(at, end ?? chunk.length);
    raw.bytes += bytes.length;
    raw.hash?.update(bytes);
    if (raw.keep === 'text') raw.text.push(bytes);
    else if (raw.keep === 'all') this.#put(bytes);
    if (this.#bound) this.#deepen(this.#bound, raw.levels);
    if (end === undefined) return chunk.length;
    this.#raw = undefined;
    if (raw.hash) this.#put(JSON.stringify(measure(raw, raw.hash)));
    this.#ended();
    return end;
  }

  /** True if the current value is an element of an `each`. */
  #isElement(): boolean {
    const parent = this.#frames.at(-1);
    return parent !== undefined && parent.isArray && isEach(parent.selection);
  }

  #writeComma(selection: Selection | 'nothing'): void {
    const parent = this.#frames.at(-1);
    if (!parent?.isArray || selection === 'nothing' || isEach(parent.selection)) return;
    if (parent.filled) this.#put(',');
    parent.filled = true;
  }

  /** @param key - with the JSON text's escapes. */
  #putKey(key: string): void {
    const frame = this.#frames.at(-1)!;
    this.#put(`${frame.filled ? ',' : ''}"${key}":`);
    frame.filled = true;
  }

  #put(piece: string | Buffer): void {
    const bytes = typeof piece === 'string' ? Buffer.from(piece, 'utf8') : piece;
    const bound = this.#bound;
    if (bound) bound.bytes += bytes.length;
    if (bound && bound.bytes > bound.limit.bytes) this.#overflow(bound);
    if (!bound?.over) this.#pieces.push(bytes);
  }

  #deepen(bound: Bound, levels: number): void {
    bound.levels = Math.max(bound.levels, this.#frames.length - bound.depth + levels);
    if (bound.levels > bound.limit.levels) this.#overflow(bound);
  }

  #overflow(bound: Bound): void {
    bound.over = true;
    this.#pieces.length = bound.pieces;
  }
}

function parse(pieces: readonly Buffer[]): unknown {
  return JSON.parse(Buffer.concat(pieces).toString('utf8')) as unknown;
}

function isLimited(selection: Limited | Each | Fields): selection is Limited {
  const { limit } = selection as Partial<Limited>;
  return typeof limit?.bytes === 'number';
}

function isEach(selection: Fields | Each): selection is Each {
  return Object.hasOwn(selection, 'each');
}

function elementOf(selection: Fields | Each): Fields {
  return isEach(selection) ? selection.each : selection;
}

function fieldOf(fields: Fields, name: string | undefined): Selection | 'nothing' {
  if (name !== undefined && Object.hasOwn(fields, name)) return fields[name]!;
  return (name === undefined ? undefined : fields['*']) ?? 'nothing';
}
