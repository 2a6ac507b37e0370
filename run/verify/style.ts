/** Style of the page in addition to the report's. */
export const verifyStyle = `
:root { --good: #116329; --good-back: #e6f6ea }
@media (prefers-color-scheme: dark) { :root { --good: #7ee2a0; --good-back: #10301c } }
.verdict { margin: 20px 0 0; padding: 16px 20px; border: 1px solid var(--grid); border-radius: 10px; background: var(--surface) }
.verdict strong { display: block; font-size: 22px; line-height: 1.3 }
.verdict.same { color: var(--good); background: var(--good-back); border-color: currentColor }
.verdict.different, .verdict.failed { color: var(--warn); background: var(--warn-back); border-color: currentColor }
.differences { margin: 12px 0 0; padding-left: 20px; color: var(--warn) }
.differences:empty { display: none }
td.same { color: var(--good); font-weight: 600 }
td.different { color: var(--warn); font-weight: 600 }
td code { display: block }
td small { color: var(--muted) }
ol { max-width: 72ch }
#timing { margin: 12px 0 }
#timing:empty { display: none }
button { font: inherit; padding: 6px 14px; border-radius: 6px; border: 1px solid var(--muted); background: var(--surface); color: var(--ink); cursor: pointer }
button:disabled { cursor: default; opacity: 0.6 }
@media (max-width: 600px) {
.stack thead { display: none }
.stack tr { display: block; padding: 6px 0; border-bottom: 1px solid var(--grid) }
.stack th, .stack td { display: block; border: 0; padding: 1px 0; text-align: left }
}
`;
