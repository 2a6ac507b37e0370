import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import { SHAPES } from './synthetic-shapes.js';

/** Height and width of the images. */
export const SIDE = 32;
const PIXELS = SIDE * SIDE * 3;
/** Offsets of the noise table at which an image may start. */
const NOISE_STARTS = 1 << 16;
const MAX_CLUTTER = 6;

/** Uniform in [low, high): 24 random bits, so the value is the same on every machine. */
const uniform = (random: RandomGenerator, low: number, high: number) =>
  low + ((random.next() >>> 8) / 0x1000000) * (high - low);

type Colour = [number, number, number];

const randomColour = (random: RandomGenerator): Colour => [
  uniform(random, 30, 225),
  uniform(random, 30, 225),
  uniform(random, 30, 225),
];

/** A colour that differs from `other` by 40 to 110 in every channel, up or down at random, within 0 to 255. */
function contrastingColour(random: RandomGenerator, other: Colour): Colour {
  const shift = (level: number) => {
    const step = uniform(random, 40, 110);
    const up = random.next() < 0 ? level + step <= 255 : level - step < 0;
    return up ? level + step : level - step;
  };
  return [shift(other[0]), shift(other[1]), shift(other[2])];
}

/** A rotation by up to 40 degrees either way, as (cosine, sine): t is the tangent of half the angle. */
function randomRotation(random: RandomGenerator): [number, number] {
  const t = uniform(random, -0.364, 0.364);
  return [(1 - t * t) / (1 + t * t), (2 * t) / (1 + t * t)];
}

/** Table of approximately normal noise (sum of four uniforms), deviation 1; images read it from random offsets. */
export function noiseTable(random: RandomGenerator): Float32Array {
  const scale = Math.sqrt(3);
  return Float32Array.from({ length: NOISE_STARTS + PIXELS }, () => {
    let sum = 0;
    for (let k = 0; k < 4; k++) sum += uniform(random, -0.5, 0.5);
    return sum * scale;
  });
}

/** Fills the canvas with a bilinear gradient of four corner colours around `base`. */
function paintBackground(random: RandomGenerator, canvas: Float32Array, base: Colour): void {
  for (let c = 0; c < 3; c++) {
    const corner = () => base[c]! + uniform(random, -30, 30);
    const [a, b, d, e] = [corner(), corner(), corner(), corner()];
    for (let y = 0; y < SIDE; y++) {
      const left = a + ((d - a) * y) / SIDE;
      const slope = (b + ((e - b) * y) / SIDE - left) / SIDE;
      for (let x = 0, at = y * SIDE * 3 + c; x < SIDE; x++, at += 3) canvas[at] = left + slope * x;
    }
  }
}

interface Placement {
  readonly x: number;
  readonly y: number;
  /** In pixels. */
  readonly radius: number;
  /** Cosine and sine of the rotation. */
  readonly rotation: readonly [number, number];
}

/** Blends a shape into the canvas, with edges antialiased over one pixel. */
function paintShape(canvas: Float32Array, shape: number, at: Placement, colour: Colour): void {
  const { distance } = SHAPES[shape]!;
  const [cosine, sine] = at.rotation;
  const [red, green, blue] = colour;
  const top = Math.max(0, Math.floor(at.y - at.radius));
  const bottom = Math.min(SIDE - 1, Math.ceil(at.y + at.radius));
  const left = Math.max(0, Math.floor(at.x - at.radius));
  const right = Math.min(SIDE - 1, Math.ceil(at.x + at.radius));
  const scale = 1 / at.radius;
  for (let y = top; y <= bottom; y++) {
    const dy = (y - at.y) * scale;
    for (let x = left; x <= right; x++) {
      const dx = (x - at.x) * scale;
      const cover = distance(dx * cosine + dy * sine, dy * cosine - dx * sine) * at.radius + 0.5;
      if (cover <= 0) continue;
      const alpha = cover < 1 ? cover : 1;
      const o = (y * SIDE + x) * 3;
      canvas[o] = canvas[o]! + (red - canvas[o]!) * alpha;
      canvas[o + 1] = canvas[o + 1]! + (green - canvas[o + 1]!) * alpha;
      canvas[o + 2] = canvas[o + 2]! + (blue - canvas[o + 2]!) * alpha;
    }
  }
}

/** Small random shapes, so that the presence of a shape isn't enough to identify the class. */
function paintClutter(random: RandomGenerator, canvas: Float32Array, base: Colour): void {
  const pieces = uniform(random, 2, MAX_CLUTTER + 1) | 0;
  for (let k = 0; k < pieces; k++) {
    const shape = uniform(random, 0, SHAPES.length) | 0;
    const at = {
      x: uniform(random, 0, SIDE),
      y: uniform(random, 0, SIDE),
      radius: uniform(random, 2, 4.5),
      rotation: randomRotation(random),
    };
    paintShape(canvas, shape, at, contrastingColour(random, base));
  }
}

/**
 * Paints one image of class `label` and writes it to `target` at `offset`, u8 `[32, 32, 3]`.
 *
 * Uses only + − × ÷ and √ in fixed order, so the bytes are the same on every machine.
 * @param canvas - scratch space, length 32 · 32 · 3; overwritten.
 */
export function paintImage(
  { random, noise, canvas }: { random: RandomGenerator; noise: Float32Array; canvas: Float32Array },
  label: number,
  target: Uint8ClampedArray,
  offset: number,
): void {
  const base = randomColour(random);
  paintBackground(random, canvas, base);
  paintClutter(random, canvas, base);
  const radius = uniform(random, 6.5, 12.5);
  const place = () => uniform(random, radius, SIDE - 1 - radius);
  const at = { x: place(), y: place(), radius, rotation: randomRotation(random) };
  paintShape(canvas, label, at, contrastingColour(random, base));
  const strength = uniform(random, 7, 25);
  const start = random.next() & (NOISE_STARTS - 1);
  for (let k = 0; k < PIXELS; k++) target[offset + k] = canvas[k]! + noise[start + k]! * strength;
}
