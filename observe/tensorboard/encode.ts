import { readFileSync } from 'node:fs';
import protobuf from 'protobufjs';
import { frameRecord } from './record.js';

/** Content of an event, with the fields of `event.proto`. */
export type EventContent =
  | { readonly fileVersion: string }
  | { readonly sessionLog: { readonly status: number } }
  | { readonly summary: { readonly value: readonly object[] } };

/** A PNG and its size in pixels. */
export interface Picture {
  readonly png: Uint8Array;
  readonly width: number;
  readonly height: number;
}

const [sessionStart, rgba, stringType] = [1, 4, 7];

/** Loads the format's schema. @returns a function that encodes an event as a record of an event file. */
export function eventEncoder(): (wallSeconds: number, step: number, content: EventContent) => Buffer {
  const text = readFileSync(new URL('./event.proto', import.meta.url), 'utf8');
  const type = protobuf.parse(text).root.lookupType('lockstep.tensorboard.Event');
  return (wallSeconds, step, content) =>
    frameRecord(type.encode(type.create({ wallTime: wallSeconds, step, ...content })).finish());
}

/** The first event of a file. */
export const fileVersion: EventContent = { fileVersion: 'brain.Event:2' };

/** Makes readers drop the event's step and later ones of earlier files. */
export const sessionStarts: EventContent = { sessionLog: { status: sessionStart } };

export function scalars(values: Readonly<Record<string, number>>): EventContent {
  return { summary: { value: Object.entries(values).map(([tag, simpleValue]) => ({ tag, simpleValue })) } };
}

export function image(tag: string, { png, width, height }: Picture): EventContent {
  return { summary: { value: [{ tag, image: { height, width, colorspace: rgba, encodedImageString: png } }] } };
}

/** @param text - Markdown. */
export function markdown(tag: string, text: string): EventContent {
  const tensor = { dtype: stringType, tensorShape: { dim: [{ size: 1 }] }, stringVal: [Buffer.from(text)] };
  return { summary: { value: [{ tag, metadata: { pluginData: { pluginName: 'text' } }, tensor }] } };
}
