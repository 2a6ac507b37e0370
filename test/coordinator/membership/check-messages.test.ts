import { describe, expect, it } from 'vitest';
import { checkHeartbeat, checkHello, checkHolding, printable } from '../../../coordinator/membership/check-messages.js';
import { PROTOCOL_VERSION } from '../../../transport/services.js';

describe('foreign text', () => {
  it.each([
    ['worker gone', 'worker gone'],
    ['größer 東京 😀', 'größer 東京 😀'],
    ['two\r\nlines', 'two lines'],
    ['\u001b[31mred\u001b[0m', '[31mred [0m'],
    ['\u0000\u0007bell', 'bell'],
    ['a\u202eb', 'a b'],
    ['half \ud83d', 'half'],
    ['next\u2028line', 'next line'],
  ])('%j is shown as %j', (text, shown) => {
    expect(printable(text)).toBe(shown);
  });

  it('is cut where it is too long', () => {
    expect(printable('x'.repeat(11), 10)).toBe(`${'x'.repeat(10)}…`);
    expect(printable('x'.repeat(10), 10)).toBe('x'.repeat(10));
  });
});

describe('a Hello', () => {
  const hello = {
    protocolVersion: PROTOCOL_VERSION,
    workerId: 'w1',
    host: 'gpu-3',
    pid: 1,
    runtime: 'v20 linux x64',
    beatKey: new Uint8Array(16),
  };

  it('is taken with names of people and machines', () => {
    expect(() => checkHello({ ...hello, host: "Ömer's PC" })).not.toThrow();
  });

  it.each([
    ['workerId', 'w1\nw2', 'join: expected a worker id of printable characters, got "w1\\nw2"'],
    ['host', 'x\u001b[2J', 'join: expected a host of printable characters, got "x\\u001b[2J"'],
    [
      'runtime',
      `${'é'.repeat(80)}\t`,
      `join: expected a runtime of printable characters, got "${'?'.repeat(64)}" and more`,
    ],
    ['workerId', ' ', 'join: expected a worker id of printable characters, got " "'],
  ])('is refused with a %s of %j', (field, text, message) => {
    expect(() => checkHello({ ...hello, [field]: text })).toThrow(message);
  });
});

describe('a heartbeat', () => {
  it.each([
    [{ phase: 'computing', residentBytes: 0 }, undefined],
    [{ phase: 'idle', residentBytes: 5e9 }, undefined],
    [{ phase: '', residentBytes: 1 }, 'expected phase idle, receiving, computing, sending, got ""'],
    [{ phase: 'constructor', residentBytes: 1 }, 'got "constructor"'],
    [{ phase: 'idle', residentBytes: -1 }, 'expected residentBytes of 0 or more, got -1'],
    [{ phase: 'idle', residentBytes: NaN }, 'got NaN'],
    [{ phase: 'idle', residentBytes: Infinity }, 'got Infinity'],
  ])('%j: %s', (heartbeat, problem) => {
    const check = () => checkHeartbeat(heartbeat, 'w1');
    if (problem === undefined) expect(check).not.toThrow();
    else expect(check).toThrow(problem);
  });
});

describe('holding', () => {
  it.each<[number[], string | undefined]>([
    [[], undefined],
    [[0, 1, 2], undefined],
    [[3], 'holding from w1: expected some of shards 0..2, got shard 3'],
    [[0xffffffff], 'got shard 4294967295'],
    [[0, 0, 0, 0], 'got 4 shards'],
  ])('%j of three shards: %s', (shards, problem) => {
    const check = () => checkHolding({ shards }, 3, 'w1');
    if (problem === undefined) expect(check).not.toThrow();
    else expect(check).toThrow(problem);
  });
});
