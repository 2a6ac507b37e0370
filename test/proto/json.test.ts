import { describe, expect, it } from 'vitest';
import { jsonSchema } from '../../proto/json.js';
import type { HistoryReply, StatusReply } from '../../proto/messages.js';
import { statusReply } from '../observe/sample-run.js';

const status = jsonSchema<StatusReply>('StatusReply', (text) => text.replaceAll('\u001b', '?'));
const history = jsonSchema<HistoryReply>('HistoryReply', (text) => text);
const parse = (changes: object): unknown => status.parse(JSON.parse(JSON.stringify({ ...statusReply, ...changes })));

describe('the JSON form of a message', () => {
  it('has every field as it was sent', () => expect(parse({})).toEqual(statusReply));

  it('has null for NaN, because JSON has no NaN', () => expect(parse({ loss: NaN })).toMatchObject({ loss: NaN }));

  it('has defaults for fields that an older version does not send', () => {
    expect(parse({ device: undefined, waitingFor: undefined })).toMatchObject({ device: '', waitingFor: [] });
  });

  it('drops unknown fields and cleans every text', () => {
    const [worker] = statusReply.workers;
    const workers = [{ ...worker, engine: '\u001b[2J', evil: 1 }];
    expect(parse({ evil: 1, reason: 'a\u001b', workers })).toEqual({
      ...{ ...statusReply, reason: 'a?' },
      workers: [{ ...worker, engine: '?[2J' }],
    });
  });

  it.each([
    ['a text as a number', { step: '5' }],
    ['a fraction as a count', { step: 0.5 }],
    ['a negative count', { epoch: -1 }],
    ['a number as a text', { reason: 5 }],
    ['a very long text', { reason: 'x'.repeat(8_001) }],
    ['something that is no list', { workers: {} }],
    ['a very long list', { waitingFor: Array(10_001).fill({}) }],
    ['something that is no message in a list', { workers: [5] }],
  ])('is rejected with %s', (_, changes) => expect(() => parse(changes)).toThrow());

  it('is read with lists of numbers', () => {
    const value = { steps: [4, 8], losses: [2.5, null], evaluations: [], notes: [{ timeMs: 1.5, text: 'x' }] };
    expect(history.parse(value)).toEqual({ ...value, losses: [2.5, NaN] });
  });
});
