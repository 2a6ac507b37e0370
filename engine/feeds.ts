import type { MaskInfo, ProgramInput, ProgramSpec } from './engine.js';
import { EngineError } from './errors.js';
import { show, sizeOf } from './ir/shape.js';

/** Data and shape of an input tensor. */
export interface Feed {
  readonly type: 'float32' | 'int32' | 'uint8';
  readonly data: Float32Array | Int32Array | Uint8Array;
  readonly shape: readonly number[];
}

/** Name of a program's input for a dropout mask. */
export function maskInput(mask: string): string {
  return `mask/${mask}`;
}

// The functions below check a run's inputs: wrong lengths and labels would give wrong results without an error.

export function imagesFeed({ images }: ProgramInput, { batch, imageShape }: ProgramSpec): Feed {
  const shape = [batch, ...imageShape];
  checkLength('images', images, sizeOf(shape), `a batch of ${batch} images ${show(imageShape)}`);
  return { type: 'uint8', data: images, shape };
}

export function labelsFeed({ labels }: ProgramInput, { batch, classes }: ProgramSpec): Feed {
  checkLength('labels', labels, batch, `a batch of ${batch}`);
  const wrong = labels.findIndex((label) => label < 0 || label >= classes);
  if (wrong >= 0) {
    throw badInput(
      `expected labels from 0 to ${classes - 1}, got ${labels[wrong]} for sample ${wrong}; correct the data`,
    );
  }
  return { type: 'int32', data: labels, shape: [batch] };
}

export function vectorFeed(name: 'params' | 'state', data: Float32Array, length: number): Feed {
  checkLength(name, data, length, 'this model');
  return { type: 'float32', data, shape: [length] };
}

/** Feeds of the masks, by input name. */
export function maskFeeds({ masks = [] }: ProgramInput, wanted: readonly MaskInfo[]): Readonly<Record<string, Feed>> {
  if (masks.length !== wanted.length) {
    throw badInput(`expected ${wanted.length} dropout masks for this model, got ${masks.length}; draw one for each`);
  }
  const feeds = wanted.map(({ name, shape, size }, i) => {
    checkLength(`mask ${name}`, masks[i]!, size, 'this model');
    return [maskInput(name), { type: 'float32', data: masks[i]!, shape }] as const;
  });
  return Object.fromEntries(feeds);
}

function checkLength(
  name: string,
  data: { length: number; buffer: ArrayBufferLike },
  length: number,
  what: string,
): void {
  if (data.length !== length) {
    throw badInput(
      `expected ${name} of ${length} elements for ${what}, got ${data.length}; pass data that matches the program`,
    );
  }
  if (data.buffer instanceof SharedArrayBuffer) {
    throw badInput(`expected ${name} in an ArrayBuffer, got shared memory, which engines do not accept; copy it`);
  }
}

function badInput(message: string): EngineError {
  return new EngineError('BAD_INPUT', `run program: ${message}`);
}
