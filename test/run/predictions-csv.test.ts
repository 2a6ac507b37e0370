import { describe, expect, it } from 'vitest';
import { predict, scoreRows } from '../../coordinator/stepping/evaluation.js';
import { formatPredictions, parsePredictions } from '../../run/predictions-csv.js';

const rows = Float32Array.of(...[0.75, 0.25], ...[0.125, 0.875], ...[0.5, 0.5]).map(Math.log);
const labels = Uint8Array.of(0, 0, 1);

describe('predictions', () => {
  const predictions = predict(rows, 3, 2);
  const { confusion } = scoreRows(rows, labels, 2, { step: 1, epoch: 1 });

  it('are the most probable class of each image and its probability', () => {
    expect([...predictions.predicted]).toEqual([0, 1, 0]);
    expect([...predictions.confidence].map((share) => share.toFixed(5))).toEqual(['0.75000', '0.87500', '0.50000']);
  });

  it('are read back as they were written', () => {
    const csv = formatPredictions(predictions, labels);
    expect(csv).toBe('index,label,predicted,confidence\n0,0,0,0.750000\n1,0,1,0.875000\n2,1,0,0.500000\n');
    expect(parsePredictions(csv, labels, confusion)).toEqual({
      predicted: predictions.predicted,
      confidence: Float32Array.of(0.75, 0.875, 0.5),
    });
  });

  it('of another evaluation, of other images or truncated are ignored', () => {
    const csv = formatPredictions(predictions, labels);
    const other = confusion.toReversed();
    expect(parsePredictions(csv, labels, other)).toBeUndefined();
    expect(parsePredictions(csv, Uint8Array.of(0, 1, 1), confusion)).toBeUndefined();
    expect(parsePredictions(csv.slice(0, -20), labels, confusion)).toBeUndefined();
    expect(parsePredictions(csv.replace('0.75', '7.5e9'), labels, confusion)).toBeUndefined();
  });
});
