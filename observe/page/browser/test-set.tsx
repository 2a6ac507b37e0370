import { useState } from 'preact/hooks';
import { mostConfused } from '../../../run/report/confusion.js';
import { formatCount, formatShare } from '../../../run/report/format.js';
import { type Cell, Matrix } from './matrix.js';
import { Pictures } from './pictures.js';
import type { PageState } from './state.js';

/** The newest evaluation: confusion matrix, pictures of a cell, most confident mistakes. */
export function TestSet({ state: { run, confusion, evaluations, hasPictures } }: { readonly state: PageState }) {
  const [chosen, setChosen] = useState<Cell>();
  const { classes, title, imageShape } = run.dataset;
  const last = evaluations.at(-1);
  if (!confusion || !last) {
    return (
      <section>
        <h2>Test set</h2>
        <p>Not evaluated yet.</p>
      </section>
    );
  }
  const name = (label: number) => classes[label] ?? String(label);
  // Until a cell is chosen, the most frequent mistake.
  const cell = chosen ?? mostConfused(confusion, 1)[0];
  const common = { classes, imageShape, step: last.step };
  return (
    <>
      <section>
        <h2 id="matrix">Confusion matrix</h2>
        <p class="note">
          {formatCount(last.total)} test images of {title} after epoch {last.epoch}:{' '}
          {formatShare(last.correct / last.total, 2)} correct. Colour: square root of the share of the row.{' '}
          {hasPictures && 'Select a cell to see its pictures; arrow keys move between cells.'}
        </p>
        <div class="beside">
          <Matrix confusion={confusion} classes={classes} chosen={cell} onChoose={setChosen} />
          {hasPictures && (
            <div class="cell-pictures" role="region" aria-label="Pictures of the selected cell" tabIndex={0}>
              {cell && (
                <Pictures
                  {...common}
                  title={
                    cell.actual === cell.predicted
                      ? `${name(cell.actual)}, classified correctly`
                      : `${name(cell.actual)} taken for ${name(cell.predicted)}`
                  }
                  query={`?actual=${cell.actual}&predicted=${cell.predicted}`}
                />
              )}
            </div>
          )}
        </div>
      </section>
      {hasPictures && (
        <section>
          <Pictures {...common} title="Most confident mistakes" query="" isMixed />
        </section>
      )}
    </>
  );
}
