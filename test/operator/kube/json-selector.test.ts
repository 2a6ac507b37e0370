import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JsonSelector, type Selection } from '../../../operator/kube/json-selector.js';
import { runs } from '../../thorough.js';

/** Values and elements that a selection finds in a text that arrives in chunks. */
function select(text: string, selection: Selection, chunkBytes = 7) {
  const values: unknown[] = [];
  const elements: unknown[] = [];
  const selector = new JsonSelector({
    selection,
    onValue: (value) => values.push(value),
    onElement: (element) => elements.push(element),
  });
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += chunkBytes) selector.write(bytes.subarray(at, at + chunkBytes));
  return { values, elements, selector };
}

const first = (text: string, selection: Selection) => select(text, selection).values[0];

describe('a selection of JSON', () => {
  it('equals the parsed text if everything is selected, wherever the text is cut', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), fc.integer({ min: 1, max: 9 }), fc.boolean(), (value, size, wide) => {
        const text = JSON.stringify({ a: value, b: [value] }, null, wide ? 2 : undefined);
        expect(select(text, 'all', size).values).toEqual([JSON.parse(text)]);
        const fields = { '*': 'all' } as const;
        expect(select(text, fields, size).values).toEqual([JSON.parse(text)]);
      }),
      { numRuns: runs(300) },
    );
  });

  it('has the named fields only, of objects and of the elements of arrays', () => {
    const text = '{"a":1,"drop":[{"a":"}]\\""}],"b":{"c":"x","d":2},"list":[{"c":1,"d":2},{"d":3},"text",null]}';
    const found = first(text, { a: 'all', b: { c: 'all' }, list: { c: 'all' }, missing: 'all' });
    expect(found).toEqual({ a: 1, b: { c: 'x' }, list: [{ c: 1 }, {}, 'text', null] });
  });

  it('has size and digest of a value in its place, and its text if requested', () => {
    const value = JSON.stringify('{"class_name":"Séquence \\u0001"}');
    const sha256 = createHash('sha256').update(value).digest('hex');
    const measured = { type: 'string', bytes: Buffer.byteLength(value), sha256 };
    expect(first(`{"t": ${value} , "u":[1,{}]}`, { t: 'digest', u: 'digest' })).toEqual({
      t: measured,
      u: expect.objectContaining({ type: 'array', bytes: 6 }) as object,
    });
    expect(first(`{"t":${value}}`, { t: 'text' })).toEqual({ t: { ...measured, text: value } });
  });

  it('has the size of what is above its limit, in bytes or in levels, and all that comes after it', () => {
    const selection = { a: { limit: { bytes: 20, levels: 3 }, of: 'all' }, b: 'all' } as const;
    const of = (value: unknown) => first(JSON.stringify({ a: value, b: 2 }), selection);
    expect(of({ x: 'twelve bytes' })).toEqual({ a: { x: 'twelve bytes' }, b: 2 });
    expect(of({ x: 'more than twenty bytes' })).toEqual({ a: { tooLarge: { bytes: 30, levels: 1 } }, b: 2 });
    expect(of([[[]]])).toEqual({ a: [[[]]], b: 2 });
    expect(of([[[[]]]])).toEqual({ a: { tooLarge: { bytes: 8, levels: 4 } }, b: 2 });
  });

  it('counts only selected values towards its limit', () => {
    const selection = { spec: { limit: { bytes: 200, levels: 4 }, of: { '*': 'all', topology: 'digest' } } } as const;
    const topology = 'x'.repeat(100_000);
    expect(first(JSON.stringify({ spec: { topology, model: 'net' } }), selection)).toEqual({
      spec: { topology: expect.objectContaining({ bytes: 100_002 }) as object, model: 'net' },
    });
  });

  it('passes the elements of an array on one by one, and keeps none of them', () => {
    const text = '{"metadata":{"continue":"more"},"items":[{"a":1,"b":[1]},{"a":{"c":[]}}],"kind":"List"}';
    const { values, elements } = select(text, { metadata: { continue: 'all' }, items: { each: { a: 'all' } } });
    expect(elements).toEqual([{ a: 1 }, { a: { c: [] } }]);
    expect(values).toEqual([{ metadata: { continue: 'more' }, items: [] }]);
    expect(select('{"items":null}', { items: { each: { a: 'all' } } }).elements).toEqual([]);
  });

  it('is taken of each of several values, and of none that has not ended', () => {
    const { values, selector } = select('{"a":1}\n{"a":2}\n{"a":', { a: 'all' });
    expect(values).toEqual([{ a: 1 }, { a: 2 }]);
    expect(selector.isComplete).toBe(false);
    selector.write(Buffer.from('3}'));
    expect([values[2], selector.isComplete]).toEqual([{ a: 3 }, true]);
  });

  it('confuses no field with another whose name is longer, or is of every object', () => {
    const long = 'a'.repeat(400);
    expect(first(`{"${long}":1,"toString":2,"a":3}`, { a: 'all' })).toEqual({ a: 3 });
    expect(() => first('{"a":1]', { a: 'all' })).toThrow(/brackets/);
  });

  it('skips 100 MB of unselected data without keeping it', () => {
    const values: unknown[] = [];
    const selector = new JsonSelector({ selection: { a: 'all' }, onValue: (value) => values.push(value) });
    const chunk = Buffer.from('[[{"x":"\\"y"},0.5],'.repeat(3449));
    const before = process.memoryUsage().rss;
    selector.write(Buffer.from('{"hostile":['));
    for (let count = 0; count < 1600; count += 1) selector.write(chunk);
    selector.write(Buffer.from(`0${']'.repeat(1600 * 3449)}],"a":1}`));
    expect(values).toEqual([{ a: 1 }]);
    expect(process.memoryUsage().rss - before).toBeLessThan(60e6);
  });
});
