/**
 * Signed distance to a shape's edge, in units of its radius, positive inside. `u` and `v` are coordinates relative to the
 * shape's centre; every shape is inside the unit disc or touches it.
 */
type Shape = (u: number, v: number) => number;

const { abs, max, min, sqrt } = Math;
const box = (u: number, v: number, width: number, height: number) => min(width - abs(u), height - abs(v));
const disc = (u: number, v: number, radius: number) => radius - sqrt(u * u + v * v);
/** Distance to the nearest edge of stripes of width 0.25 with gaps of 0.25; positive on a stripe. */
const stripe = (u: number) => {
  const phase = (u + 8) * 2;
  return (0.5 - abs(phase - Math.floor(phase) - 0.5) - 0.25) * 0.5;
};
/** Sine of 60 degrees; Math.sin's last bits depend on the JavaScript engine. */
const SIN_60 = sqrt(3) / 2;

/**
 * Classes of the synthetic dataset, in label order.
 *
 * Some share an outline (disc and stripes, square and checks), some differ in a detail (ring and crescent), so a network
 * must learn form. Colour, position, size and rotation are independent of the class.
 */
export const SHAPES: readonly { readonly name: string; readonly distance: Shape }[] = [
  { name: 'disc', distance: (u, v) => disc(u, v, 0.85) },
  { name: 'ring', distance: (u, v) => min(disc(u, v, 0.95), -disc(u, v, 0.55)) },
  { name: 'crescent', distance: (u, v) => min(disc(u, v, 0.95), -disc(u - 0.4, v, 0.7)) },
  { name: 'square', distance: (u, v) => box(u, v, 0.7, 0.7) },
  { name: 'frame', distance: (u, v) => min(box(u, v, 0.75, 0.75), -box(u, v, 0.4, 0.4)) },
  { name: 'triangle', distance: (u, v) => min(v + 0.5, 0.5 - v / 2 - SIN_60 * abs(u)) },
  { name: 'cross', distance: (u, v) => max(box(u, v, 0.27, 0.95), box(u, v, 0.95, 0.27)) },
  { name: 'bars', distance: (u, v) => box(u, abs(v) - 0.48, 0.85, 0.25) },
  { name: 'stripes', distance: (u, v) => min(disc(u, v, 0.95), stripe(u)) },
  {
    name: 'checks',
    distance: (u, v) => min(box(u, v, 0.75, 0.75), u * v < 0 ? -min(abs(u), abs(v)) : min(abs(u), abs(v))),
  },
];
