import { describe, expect, it } from 'vitest';
import { WorkBoard } from '../../coordinator/work-board.js';

describe('a work board', () => {
  it('orders each item once, grouped by owner', () => {
    const board = new WorkBoard(4);
    const owner = (item: number) => (item < 3 ? 'a' : 'b');
    expect(board.order(owner)).toEqual(
      new Map([
        ['a', [0, 1, 2]],
        ['b', [3]],
      ]),
    );
    expect(board.order(owner)).toEqual(new Map());
  });

  it('leaves an item without an owner open, and orders it when there is one', () => {
    const board = new WorkBoard(2);
    board.order((item) => (item === 0 ? 'a' : undefined));
    expect(board.missing()).toEqual([
      { item: 0, workerIds: ['a'] },
      { item: 1, workerIds: [] },
    ]);
    expect(board.order(() => 'b')).toEqual(new Map([['b', [1]]]));
  });

  it('counts an item once, whoever delivers it and how often', () => {
    const board = new WorkBoard(2);
    board.order(() => 'a');
    expect([board.finish(0), board.finish(0), board.complete]).toEqual([true, false, false]);
    expect([board.finish(1), board.complete]).toEqual([true, true]);
    expect([board.finish(1), board.complete, board.missing()]).toEqual([false, true, []]);
  });

  it('counts an item that was never ordered, and does not order it afterwards', () => {
    const board = new WorkBoard(2);
    expect(board.finish(1)).toBe(true);
    expect(board.isDone(1)).toBe(true);
    expect(board.order(() => 'a')).toEqual(new Map([['a', [0]]]));
  });

  it('passes over items that it does not have', () => {
    const board = new WorkBoard(1);
    expect([board.finish(1), board.finish(-1), board.isDone(1), board.complete]).toEqual([false, false, false, false]);
  });

  it('opens what a lost worker had not delivered, and nothing else', () => {
    const board = new WorkBoard(4);
    board.order((item) => (item % 2 === 0 ? 'a' : 'b'));
    board.finish(0);
    expect(board.forget('a')).toEqual([2]);
    expect(board.forget('a')).toEqual([]);
    expect(board.order(() => 'c')).toEqual(new Map([['c', [2]]]));
    expect(board.missing()).toEqual([
      { item: 1, workerIds: ['b'] },
      { item: 2, workerIds: ['c'] },
      { item: 3, workerIds: ['b'] },
    ]);
  });

  it('does not open what another worker was told to do as well', () => {
    const board = new WorkBoard(2);
    board.order(() => 'a');
    board.orderAlso([1], 'b');
    expect(board.workersOf(1)).toEqual(['a', 'b']);
    expect(board.forget('a')).toEqual([0]);
    expect(board.missing()).toEqual([
      { item: 0, workerIds: [] },
      { item: 1, workerIds: ['b'] },
    ]);
    expect(board.forget('b')).toEqual([1]);
  });

  it('is complete from the start without items', () => {
    expect(new WorkBoard(0).complete).toBe(true);
  });
});
