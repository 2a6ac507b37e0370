import { expect, it } from 'vitest';
import { coresIn } from '../../../cli/workers/plan-local-workers.js';

const processor = (socket: number, core: number) =>
  `processor\t: 0\nmodel name\t: X\nphysical id\t: ${socket}\nsiblings\t: 2\ncore id\t\t: ${core}\nflags\t\t: fpu\n`;

it.each([
  ['two cores', [processor(0, 0), processor(0, 1)], 2],
  ['two threads of one core', [processor(0, 0), processor(0, 0)], 1],
  ['the same core number in two sockets', [processor(0, 3), processor(1, 3)], 2],
  ['processors that do not tell', ['processor\t: 0\nBogoMIPS\t: 50\n'], 0],
  ['nothing', [], 0],
])('the physical cores of %s are counted', (_, processors, cores) => {
  expect(coresIn(processors.join('\n'))).toBe(cores);
});
