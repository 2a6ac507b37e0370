/** Numbers from 0 to 1 with 24 bits, the same in every call: the high bits of a linear congruence. */
export function generator(): () => number {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) / 2 ** 24;
  };
}
