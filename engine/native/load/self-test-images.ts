import { op, packMode, reduceKind } from '../plan/opcodes.js';
import type { SelfTestPlan } from './self-test-plan.js';

interface Shape {
  readonly narrow?: 0 | 1;
  readonly channels: number;
  readonly outChannels: number;
  readonly up?: number;
  readonly stride?: number;
  readonly dilation?: number;
}

const items = 5;
const height = 7;
const width = 6;
const kernel = 3;
const blocks = (channels: number) => Math.ceil(channels / 16);

/** Geometry of a 3 x 3 convolution with padding 1 (enum ConvArg of plan.h), and the words of its parts. */
function geometry(plan: SelfTestPlan, shape: Shape) {
  const { narrow = 0, channels, outChannels, up = 1, stride = 1, dilation = 1 } = shape;
  const size = (input: number) => Math.floor((up * (input - 1) + 1 + 2 - dilation * (kernel - 1) - 1) / stride) + 1;
  const [outHeight, outWidth] = [size(height), size(width)];
  const xWords = height * width * (narrow ? channels : 16 * blocks(channels));
  const args = [
    ...[plan.input(), xWords, narrow, channels, height, width, up, up, kernel, kernel, 1, 1],
    ...[stride, stride, dilation, dilation, outChannels, outHeight, outWidth, Math.max(1, Math.floor(128 / outWidth))],
  ];
  const yWords = outHeight * outWidth * 16 * blocks(outChannels);
  return { args, yWords };
}

function filterWords({ narrow, channels, outChannels }: Shape, depthwise: boolean): number {
  const rows = depthwise ? 1 : narrow ? channels : 16 * blocks(channels);
  return kernel * kernel * rows * 16 * blocks(outChannels);
}

/** A convolution and, unless it is an input gradient, its filter gradient. */
function addConvolution(plan: SelfTestPlan, shape: Shape, depthwise = false): void {
  const { args, yWords } = geometry(plan, shape);
  const y = plan.output(items * yWords);
  plan.add(depthwise ? op.depthwise : op.conv, items, [...args, plan.input(500), plan.input(50), y, yWords]);
  if (shape.up !== undefined) return;
  const part = filterWords(shape, depthwise);
  const parts = plan.output(2 * part);
  plan.add(depthwise ? op.depthwiseFilter : op.convFilter, items, [...args, plan.input(700), yWords, parts, part], 4);
}

export function addConvolutions(plan: SelfTestPlan): void {
  addConvolution(plan, { channels: 20, outChannels: 37 });
  addConvolution(plan, { narrow: 1, channels: 3, outChannels: 53 });
  addConvolution(plan, { channels: 33, outChannels: 5, stride: 2 });
  addConvolution(plan, { channels: 8, outChannels: 16, dilation: 2 });
  addConvolution(plan, { channels: 18, outChannels: 16, up: 2 });
  addConvolution(plan, { channels: 20, outChannels: 20, stride: 2 }, true);
}

/** Packing in every mode and back, and a product with each packed matrix. */
export function addMatrices(plan: SelfTestPlan): void {
  const [taps, ci, co] = [2, 20, 21];
  const dense = taps * 256 * blocks(ci) * blocks(co);
  const packed = [dense, taps * 4 * 16 * blocks(co), dense, taps * 16 * blocks(ci), taps * 16 * blocks(ci)];
  for (const mode of Object.values(packMode)) {
    const narrow = mode === packMode.narrow;
    const depthwise = mode === packMode.depthwise || mode === packMode.depthwiseTurned;
    const shape = [mode, taps, narrow ? 4 : ci, depthwise ? 1 : co];
    const plain = taps * (narrow ? 4 : ci) * (depthwise ? 1 : co);
    const words = packed[mode]!;
    plan.add(op.pack, 2, [plan.input(), plain, ...shape, plan.output(2 * words), words]);
    if (mode === packMode.turned || mode === packMode.depthwiseTurned) continue;
    plan.add(op.unpack, 2, [plan.input(), words, ...shape, plan.output(2 * plain), plain]);
  }
  const [batch, m, k, n, rows] = [2, 7, 70, 85, 3];
  const grid = batch * Math.ceil(m / rows) * Math.ceil(blocks(n) / 4);
  const y = plan.output(batch * m * n);
  const x = [plan.input(), m * k, k, 1];
  plan.add(op.product, grid, [batch, m, k, n, ...x, plan.input(900), 0, plan.input(3), y, m * n, n, rows, 4]);
}

export function addPools(plan: SelfTestPlan): void {
  const [channels, xWords] = [2, 2 * height * width * 16];
  for (const [window, stride, pad] of [
    [2, 2, 0],
    [3, 2, 1],
  ] as const) {
    const size = (input: number) => Math.floor((input + 2 * pad - window) / stride) + 1;
    const [outHeight, outWidth] = [size(height), size(width)];
    const yWords = channels * outHeight * outWidth * 16;
    const rest = [channels, height, width, window, window, pad, pad, stride, stride, outHeight, outWidth];
    const x = [plan.input(), xWords, ...rest];
    const y = plan.output(items * yWords);
    plan.add(op.maxPool, items, [...x, y, yWords]);
    plan.add(op.avgPool, items, [...x, plan.output(items * yWords), yWords]);
    const dy = [plan.input(300), yWords];
    plan.add(op.maxPoolGrad, items, [...x, ...dy, y, yWords, plan.output(items * xWords), xWords]);
    plan.add(op.avgPoolGrad, items, [-1, 0, ...rest, ...dy, plan.output(items * xWords), xWords]);
  }
}

/** Sums, moments and other reductions. */
export function addReductions(plan: SelfTestPlan): void {
  const [outer, n, inner] = [2, 300, 5];
  const words = outer * n * inner;
  for (const [name, kind] of Object.entries(reduceKind)) {
    const from = name.startsWith('i') ? plan.integers() : plan.input();
    const result = outer * inner;
    plan.add(op.reduce, 2, [kind, from, words, outer, n, inner, 4, plan.output(2 * result), result]);
    plan.add(op.reduce, 2, [kind, from, words, 3, n, 1, 16, plan.output(6), 3]);
    if (kind !== reduceKind.sum) plan.add(op.reduceItems, 1, [kind, from, 70, 90, 37, plan.output(37)]);
    if (!/max|min/.test(name)) continue;
    plan.add(op.arg, 2, [kind, from, words, outer, n, inner, plan.output(2 * result), result]);
  }
  plan.add(op.sumItems, 2, [2, plan.input(), 70, 90, 37, 32, plan.output(37)]);
  const [pixels, planes] = [140, 2];
  const width16 = planes * 16;
  const [sums, squares] = [plan.output(3 * width16), plan.output(3 * width16)];
  plan.add(op.moments, 3, [plan.input(), pixels * width16, planes, pixels, sums, width16, squares, width16]);
  plan.add(op.spread, 1, [sums, squares, 3, width16, pixels, width16, plan.output(width16)]);
}

export function addMoves(plan: SelfTestPlan): void {
  plan.add(op.fill, 3, [plan.output(3 * 21), 21, 20, plan.input(1)]);
  const axes = [...[20, 1, 18], ...[18, 20, 1], ...[2, -360, 360]];
  plan.add(op.move, 2, [plan.input(360), 720, plan.output(1440), 720, 3, ...axes]);
  plan.add(op.gather, 2, [plan.input(), 300, 40, 7, plan.integers(), 33, plan.output(2 * 33 * 7), 33 * 7]);
}
