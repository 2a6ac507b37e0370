import { Writable } from 'node:stream';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ProgressBar } from '../../../cli/terminal/bar.js';
import { evaluationLine, linePrinter } from '../../../cli/terminal/lines.js';
import { showControls, visible } from '../../../cli/terminal/visible.js';
import type { RunEvent } from '../../../coordinator/state/events.js';
import type { EvaluationRecord, StepRecord } from '../../../run/records.js';

function stepEvent(step: number, overrides: Partial<StepRecord> = {}): RunEvent {
  const record: StepRecord = {
    step,
    epoch: 1,
    samples: 49,
    loss: 0.6632382,
    correct: 25,
    learningRate: 0.01,
    durationMs: 50,
    workers: 2,
    ...overrides,
  };
  return { type: 'step', record };
}

const predictions = { predicted: new Uint8Array(0), confidence: new Float32Array(0) };
const evaluation: EvaluationRecord = {
  step: 1021,
  epoch: 1,
  loss: 1.06094,
  correct: 6285,
  total: 10_000,
  confusion: [],
};

describe('lines', () => {
  it('are the lecture’s: every 100 steps of an epoch, with the images that its earlier steps have used', () => {
    const lines: string[] = [];
    const print = linePrinter({ stepsPerEpoch: 1021, samplesPerEpoch: 50_000 }, (line) => lines.push(line));
    for (let step = 0; step < 2 * 1021; step++) {
      const epoch = Math.floor(step / 1021) + 1;
      print(stepEvent(step, { epoch, samples: step % 1021 === 1020 ? 20 : 49, loss: epoch + (step % 1021) / 1000 }));
      if (step === 1020) print({ type: 'evaluation', record: evaluation, testRows: [], predictions, durationMs: 1 });
    }
    expect(lines).toHaveLength(11 + 1 + 11);
    expect(lines.slice(0, 2)).toEqual([
      'Train Epoch: 1 [0/50000 (0%)]  Loss: 1.000000',
      'Train Epoch: 1 [4900/50000 (10%)]  Loss: 1.100000',
    ]);
    expect(lines.slice(10, 13)).toEqual([
      'Train Epoch: 1 [49000/50000 (98%)]  Loss: 2.000000',
      'Test set: Average loss: 1.0609, Accuracy: 6285/10000 (63%)',
      'Train Epoch: 2 [0/50000 (0%)]  Loss: 2.000000',
    ]);
    expect(lines.at(-1)).toBe('Train Epoch: 2 [49000/50000 (98%)]  Loss: 3.000000');
  });

  it('are not printed for other events', () => {
    const lines: string[] = [];
    const print = linePrinter({ stepsPerEpoch: 10, samplesPerEpoch: 490 }, (line) => lines.push(line));
    print({ type: 'listening', address: 'x' });
    print({ type: 'state', state: 'training', reason: 'x' });
    print({ type: 'epoch', epoch: 1, step: 10, digest: 'x' });
    print({ type: 'worker', change: 'joined', workerId: 'w', reason: 'x' });
    expect(lines).toEqual([]);
  });

  it('give a test result as the lecture does', () => {
    expect(evaluationLine({ ...evaluation, loss: 2.39173, correct: 7285 })).toBe(
      'Test set: Average loss: 2.3917, Accuracy: 7285/10000 (73%)',
    );
  });
});

/** A terminal that records its output. */
class FakeTerminal extends Writable {
  readonly isTTY = true;
  readonly columns = 200;
  readonly rows = 24;
  text = '';

  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    this.text += chunk.toString();
    done();
  }

  cursorTo(): boolean {
    return true;
  }
  moveCursor(): boolean {
    return true;
  }
  clearLine(): boolean {
    return true;
  }
  clearScreenDown(): boolean {
    return true;
  }
}

function bar(totalSteps: number, epochs: number): { bar: ProgressBar; terminal: FakeTerminal } {
  const terminal = new FakeTerminal();
  const created = new ProgressBar({ totalSteps, epochs }, terminal as unknown as NodeJS.WriteStream);
  onTestFinished(() => created.stop());
  return { bar: created, terminal };
}

describe('the bar', () => {
  it('shows epoch, step, loss, accuracy, rate, time left and workers', () => {
    const { bar: drawn, terminal } = bar(1435, 7);
    drawn.handle(stepEvent(204, { samples: 245, correct: 49, loss: 1.5, durationMs: 100 }));
    drawn.log('a line');
    drawn.stop();
    expect(terminal.text).toContain('epoch 1/7 · step 205/1435 · loss 1.500 · 20.0 % · 2,450 images/s');
    expect(terminal.text).toContain('2 min 3 s left · 2 workers');
  });

  it('shows the mean of the first losses, and follows the last fifty later', () => {
    const { bar: drawn, terminal } = bar(200, 1);
    drawn.handle(stepEvent(0, { loss: 2 }));
    drawn.handle(stepEvent(1, { loss: 1, workers: 1 }));
    drawn.log('a line');
    expect(terminal.text).toContain('loss 1.500');
    expect(terminal.text).toMatch(/1 worker(?!s)/);
    for (let step = 2; step < 50; step++) drawn.handle(stepEvent(step, { loss: 1.5 }));
    drawn.handle(stepEvent(50, { loss: 6.5 }));
    drawn.log('a line');
    expect(terminal.text).toContain('loss 1.590');
  });

  it('has each epoch’s test result above it', () => {
    const { bar: drawn, terminal } = bar(1435, 7);
    drawn.handle(stepEvent(0));
    drawn.handle({ type: 'evaluation', record: evaluation, testRows: [], predictions, durationMs: 1 });
    expect(terminal.text).toContain('Epoch 1: Test set: Average loss: 1.0609, Accuracy: 6285/10000 (63%)\n');
  });

  it('can be stopped before the first step, and prints lines without one', () => {
    const { bar: drawn, terminal } = bar(10, 1);
    drawn.log('waiting for 1 more worker(s)');
    drawn.stop();
    expect(terminal.text).toContain('waiting for 1 more worker(s)');
  });
});

describe('text of others', () => {
  it('shows control characters and direction overrides, and keeps line breaks, tabs and letters of all scripts', () => {
    expect(visible('\x1b]0;mine\x07\u009b31m\r\u202Egnp.txt\u2028')).toBe(
      '\\u001b]0;mine\\u0007\\u009b31m\\u000d\\u202egnp.txt\\u2028',
    );
    for (const text of ['a\n\tb', 'Größe 猫 👩‍🔬 ▁█']) expect(visible(text)).toBe(text);
  });

  it('stays the same in JSON', () => {
    const value = { name: '\x1b[2J\u009b\u202E"' };
    expect(JSON.parse(visible(JSON.stringify(value)))).toEqual(value);
  });

  it('is printed this way by a console', () => {
    const lines: unknown[][] = [];
    const print = (...values: unknown[]) => void lines.push(values);
    const target = { error: print, info: print, log: print, warn: print };
    showControls(target);
    target.log('a\x1b[31m', 1);
    target.error('\x07');
    expect(lines).toEqual([['a\\u001b[31m', 1], ['\\u0007']]);
  });
});
