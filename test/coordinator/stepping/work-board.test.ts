import { describe, expect, it } from 'vitest';
import { WorkBoard } from '../../../coordinator/stepping/work-board.js';

describe('a work board', () => {
  it('has every item open until it is dispatched', () => {
    const board = new WorkBoard(4);
    expect(board.open()).toEqual([0, 1, 2, 3]);
    board.dispatch([0, 2], 'a');
    expect(board.open()).toEqual([1, 3]);
    expect(board.missing().map(({ workerIds }) => workerIds)).toEqual([['a'], [], ['a'], []]);
  });

  it('counts an item once, whoever delivers it and how often', () => {
    const board = new WorkBoard(2);
    board.dispatch([0, 1], 'a');
    expect([board.finish(0), board.finish(0), board.complete]).toEqual([true, false, false]);
    expect([board.finish(1), board.complete]).toEqual([true, true]);
    expect([board.finish(1), board.complete, board.missing()]).toEqual([false, true, []]);
  });

  it('counts an item that was never dispatched, which is not open afterwards', () => {
    const board = new WorkBoard(2);
    expect(board.finish(1)).toBe(true);
    expect(board.isDone(1)).toBe(true);
    expect(board.open()).toEqual([0]);
  });

  it('ignores unknown items', () => {
    const board = new WorkBoard(1);
    expect([board.finish(1), board.finish(-1), board.isDone(1), board.complete]).toEqual([false, false, false, false]);
  });

  it('opens what a lost worker had not delivered, and nothing else', () => {
    const board = new WorkBoard(4);
    board.dispatch([0, 2], 'a');
    board.dispatch([1, 3], 'b');
    board.finish(0);
    board.forget('a');
    expect(board.open()).toEqual([2]);
    board.dispatch([2], 'c');
    expect(board.missing()).toEqual([
      { item: 1, workerIds: ['b'] },
      { item: 2, workerIds: ['c'] },
      { item: 3, workerIds: ['b'] },
    ]);
  });

  it('does not open what another worker computes as well', () => {
    const board = new WorkBoard(2);
    board.dispatch([0, 1], 'a');
    board.dispatch([1], 'b');
    expect(board.workersOf(1)).toEqual(['a', 'b']);
    board.forget('a');
    expect(board.open()).toEqual([0]);
    expect(board.missing()).toEqual([
      { item: 0, workerIds: [] },
      { item: 1, workerIds: ['b'] },
    ]);
    board.forget('b');
    expect(board.open()).toEqual([0, 1]);
  });

  it('is complete from the start without items', () => {
    expect(new WorkBoard(0).complete).toBe(true);
  });
});
