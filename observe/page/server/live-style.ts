/** Styles of the live page, in addition to the report's. */
export const liveStyle = `
main { max-width: 1120px }
p { max-width: 100ch }
.state { margin: 14px 0 8px; max-width: none }
.badge { display: inline-block; padding: 1px 10px; border-radius: 999px; border: 1px solid var(--muted); font-weight: 600; font-size: 14px; margin-right: 6px }
.badge.training, .badge.evaluating, .badge.finished { color: var(--train); border-color: currentColor }
.badge.failed, .badge.waiting, .badge.lost { color: var(--test); border-color: currentColor }
.banner.over { background: var(--surface); color: var(--ink); border-color: var(--train); font-weight: 400 }
progress { display: block; width: 100%; height: 10px; margin: 0 0 8px; border: 0; border-radius: 5px; overflow: hidden; background: var(--grid); color: var(--train); appearance: none }
progress::-webkit-progress-bar { background: var(--grid) }
progress::-webkit-progress-value { background: var(--train) }
progress::-moz-progress-bar { background: var(--train) }
.tiles { grid-template-columns: repeat(auto-fit, minmax(136px, 1fr)) }
.tiles dd { font-size: 20px }
.tiles div { padding: 10px 12px }
.chart { overflow: hidden; min-height: 200px }
.three { grid-template-columns: repeat(auto-fit, minmax(min(100%, 320px), 1fr)); gap: 8px 20px }
.workers td { overflow-wrap: anywhere }
.waited { display: block; color: var(--test) }
.matrix.live td { cursor: pointer }
.matrix.live td:hover { outline: 2px solid var(--train) }
.matrix.live td[aria-selected=true] { outline: 3px solid var(--ink); outline-offset: -1px }
:focus-visible { outline: 3px solid var(--test); outline-offset: 1px }
.matrix.live td:focus-visible { outline: 3px solid var(--test) }
.beside { align-items: flex-start; flex-wrap: nowrap; margin: 0 }
.cell-pictures { flex: 1; min-width: 0; max-height: 500px; overflow-y: auto }
.pictures h3 { margin: 0 0 4px; font-size: 18px }
.cell-pictures h3 { font-size: 15px }
.pictures ul { list-style: none; margin: 0; padding: 0; display: grid; grid-template-columns: repeat(auto-fill, minmax(72px, 1fr)); gap: 10px 8px }
.pictures figure { margin: 0 }
.pictures figcaption { font-size: 12px; line-height: 1.3; color: var(--ink); font-variant-numeric: tabular-nums; overflow-wrap: anywhere }
.mixed ul { grid-template-columns: repeat(auto-fill, minmax(84px, 1fr)) }
.picture { display: block; background-repeat: no-repeat; background-color: var(--grid); image-rendering: pixelated; border-radius: 4px; margin-bottom: 3px }
.list { max-height: 320px; overflow-y: auto; border-top: 1px solid var(--grid) }
.list ol { list-style: none; margin: 0; padding: 0; font-size: 14px }
.list li { padding: 5px 2px; border-bottom: 1px solid var(--grid); overflow-wrap: anywhere }
.list time, .list .epoch { color: var(--muted); font-variant-numeric: tabular-nums; margin-right: 6px }
.list .good span { color: var(--train) }
.list .warning span { color: var(--test) }
.list .bad span { color: var(--warn); font-weight: 600 }
@media (max-width: 860px) {
.beside { flex-wrap: wrap }
.cell-pictures { max-height: none; flex-basis: 100% }
}
@media (max-width: 700px) {
.workers thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%) }
.workers tr { display: grid; grid-template-columns: 1fr 1fr; padding: 8px 0; border-bottom: 1px solid var(--grid) }
.workers td { border: 0; padding: 3px 4px; text-align: left; white-space: normal }
.workers td:first-child, .workers td:nth-child(4) { grid-column: 1 / -1 }
.workers td:not(:first-child)::before { content: attr(data-label) ': '; color: var(--muted) }
.tiles { grid-template-columns: 1fr 1fr }
}
@media (max-width: 600px) {
.matrix td { min-width: 22px }
}
@media (prefers-reduced-motion: reduce) { * { scroll-behavior: auto; transition: none; animation: none } }
`;
