/** Colours of a chart. Any CSS colour, including variables of the page. */
export interface Palette {
  readonly ink: string;
  readonly muted: string;
  readonly grid: string;
  /** Training figures. */
  readonly train: string;
  /** Training figures before averaging: paler than `train`. */
  readonly raw: string;
  /** Test figures. */
  readonly test: string;
}

export type Mode = 'light' | 'dark';

export const palettes: Readonly<Record<Mode, Palette>> = {
  light: { ink: '#1c2128', muted: '#57606a', grid: '#e4e8ec', train: '#1f5fae', raw: '#b4cdec', test: '#c2410c' },
  dark: { ink: '#e6edf3', muted: '#9aa5b1', grid: '#2b323b', train: '#6cb0ff', raw: '#35598c', test: '#ff9a5c' },
};

/** Colours as variables that the page's style sheet sets for the mode in use. */
export const variablePalette: Palette = {
  ink: 'var(--ink)',
  muted: 'var(--muted)',
  grid: 'var(--grid)',
  train: 'var(--train)',
  raw: 'var(--raw)',
  test: 'var(--test)',
};

/**
 * Anchors of the matrix's sequential colour scale from 0 to 1, evenly spaced. It starts near the page's background and
 * gains lightness contrast with it.
 */
export const heatAnchors: Readonly<Record<Mode, readonly string[]>> = {
  light: ['#f6f9fc', '#c6dbef', '#7fb1dc', '#3a7fc0', '#134a8c'],
  dark: ['#1b222b', '#1d3a5f', '#24629f', '#4f96da', '#a5d3ff'],
};

/** Colour of the sequential scale at `strength`, 0 to 1, as `#rrggbb`; linear in sRGB between the anchors. */
export function heatColour(strength: number, mode: Mode): string {
  const anchors = heatAnchors[mode];
  const place = Math.min(1, Math.max(0, strength)) * (anchors.length - 1);
  const below = Math.min(Math.floor(place), anchors.length - 2);
  const [from, to] = [channels(anchors[below] ?? ''), channels(anchors[below + 1] ?? '')];
  const mixed = from.map((value, i) => Math.round(value + (place - below) * ((to[i] ?? 0) - value)));
  return `#${mixed.map((value) => value.toString(16).padStart(2, '0')).join('')}`;
}

/**
 * White if it is legible on `background` (ratio of 4.5 or more), else black. The two ratios multiply to 21, so
 * the ratio is never below 4.5.
 */
export function inkOn(background: string): '#000000' | '#ffffff' {
  return contrast('#ffffff', background) >= 4.5 ? '#ffffff' : '#000000';
}

/** Contrast ratio of two `#rrggbb` colours, 1 to 21, as WCAG 2.2 defines it. */
export function contrast(a: string, b: string): number {
  const [darker = 0, lighter = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (lighter + 0.05) / (darker + 0.05);
}

function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = channels(colour).map((value) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function channels(colour: string): number[] {
  return [1, 3, 5].map((start) => parseInt(colour.slice(start, start + 2), 16));
}
