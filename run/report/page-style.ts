import { heatLevels } from './heat-levels.js';
import { heatColour, inkOn, palettes, type Mode, type Palette } from './palette.js';

/** The page's style sheet: light and dark by the reader's setting, one column on a phone. */
export function pageStyle(): string {
  return `
:root { color-scheme: light dark; --page: #f5f7f9; --surface: #ffffff; --warn: #8a2c0d; --warn-back: #fff1e8; ${variables(palettes.light)} }
${heatRules('light')}
@media (prefers-color-scheme: dark) {
:root { --page: #0d1117; --surface: #151b23; --warn: #ffb38a; --warn-back: #3a1d10; ${variables(palettes.dark)} }
${heatRules('dark')}
}
${layout}`;
}

function variables(palette: Palette): string {
  return Object.entries(palette)
    .map(([name, colour]) => `--${name}: ${colour};`)
    .join(' ');
}

/** Classes `h0` to `h31`: a cell's background and a readable ink colour. */
function heatRules(mode: Mode): string {
  return Array.from({ length: heatLevels }, (_, level) => {
    const colour = heatColour(level / (heatLevels - 1), mode);
    return `.h${level} { background: ${colour}; color: ${inkOn(colour)} }`;
  }).join('\n');
}

const layout = `
* { box-sizing: border-box }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif; -webkit-text-size-adjust: 100% }
main { max-width: 1000px; margin: 0 auto; padding: 32px 20px 64px }
h1 { font-size: 28px; line-height: 1.2; margin: 0; overflow-wrap: anywhere }
h2 { font-size: 18px; line-height: 1.3; margin: 0 0 6px }
.files { margin: 10px 0 0 }
h3 { font-size: 15px; margin: 24px 0 4px }
p { margin: 0 0 12px; max-width: 72ch }
a { color: var(--train) }
.note { color: var(--muted); font-size: 14px }
.banner { background: var(--warn-back); color: var(--warn); border: 1px solid currentColor; border-radius: 8px; padding: 12px 16px; margin: 0 0 20px; font-weight: 600; max-width: none }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(140px, 1fr)); gap: 12px; margin: 20px 0 16px; padding: 0 }
.tiles div, section { background: var(--surface); border: 1px solid var(--grid); border-radius: 10px }
.tiles div { padding: 12px 14px }
.tiles dt { color: var(--muted); font-size: 13px }
.tiles dd { margin: 0; font-size: 22px; line-height: 1.3; font-weight: 600; font-variant-numeric: tabular-nums }
.tiles dd small { display: block; font-size: 13px; font-weight: 400; color: var(--muted) }
section { padding: 20px; margin: 16px 0 }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 400px), 1fr)); gap: 24px; align-items: start }
.pair > * { min-width: 0 }
figure { margin: 8px 0 0 }
figure svg { display: block; width: 100%; height: auto; font-variant-numeric: tabular-nums }
.beside { display: flex; flex-wrap: wrap; gap: 8px 32px; margin-bottom: 12px }
.beside > * { max-width: 100% }
.narrow { display: none }
.scroll { overflow-x: auto }
table { border-collapse: collapse; font-size: 14px; font-variant-numeric: tabular-nums }
th, td { padding: 5px 10px; text-align: left; border-bottom: 1px solid var(--grid); vertical-align: top }
thead th { color: var(--muted); font-weight: 500; vertical-align: bottom }
tbody th { font-weight: 500; white-space: nowrap }
.n { text-align: right; white-space: nowrap }
.wide-table { width: 100% }
.roomy { min-width: 680px }
.matrix { border-collapse: separate; border-spacing: 2px; font-size: 13px; margin: 8px 0 12px }
.matrix th, .matrix td { border: 0; padding: 0 }
.matrix td { width: 44px; min-width: 30px; height: 38px; text-align: center; vertical-align: middle; border-radius: 3px }
.matrix tbody th { text-align: right; padding-right: 8px; vertical-align: middle; font-weight: 400 }
.matrix thead .class { height: 84px; vertical-align: bottom; text-align: center; font-weight: 400; color: var(--ink) }
.matrix .class span { display: inline-block; writing-mode: vertical-rl; transform: rotate(180deg); padding: 4px 0 0 0 }
.matrix .axis { text-align: center; font-weight: 400; padding-bottom: 2px }
.best { font-weight: 700; text-decoration: underline; text-underline-offset: 3px }
.wrong { color: var(--test); font-weight: 600 }
code, pre { font: 13px/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace; overflow-wrap: anywhere }
code { white-space: pre-wrap }
pre { margin: 8px 0 0; overflow-x: auto; white-space: pre-wrap }
summary { cursor: pointer; color: var(--muted); font-size: 14px; padding: 8px 0 }
@media (max-width: 600px) {
main { padding: 20px 12px 48px }
section { padding: 16px 12px }
h1 { font-size: 24px }
.tiles { grid-template-columns: 1fr 1fr; gap: 8px }
.tiles dd { font-size: 19px }
.wide { display: none }
.narrow { display: block }
.matrix { font-size: 11px; border-spacing: 1px }
.matrix td { min-width: 24px; height: 28px }
.matrix tbody th { padding-right: 4px }
th, td { padding: 5px 7px }
}
@media print { body { background: #fff } section { break-inside: avoid } }
`;
