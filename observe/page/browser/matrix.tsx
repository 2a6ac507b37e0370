import { useRef, useState } from 'preact/hooks';
import { cellStrength, type Confusion } from '../../../run/report/confusion.js';
import { heatLevels } from '../../../run/report/heat-levels.js';

export interface Cell {
  readonly actual: number;
  readonly predicted: number;
}

export interface MatrixProps {
  readonly confusion: Confusion;
  readonly classes: readonly string[];
  readonly chosen: Cell | undefined;
  readonly onChoose: (cell: Cell) => void;
}

/** The report's confusion matrix with selectable cells: the Tab key reaches one of them, arrow keys move the focus. */
export function Matrix({ confusion, classes, chosen, onChoose }: MatrixProps) {
  const [at, setAt] = useState<Cell>({ actual: 0, predicted: 0 });
  const body = useRef<HTMLTableSectionElement>(null);
  const move = (to: Cell) => {
    setAt(to);
    body.current?.rows[to.actual]?.querySelectorAll('td')[to.predicted]?.focus();
  };
  const onKeyDown = (event: KeyboardEvent, cell: Cell) => {
    const to = neighbour(event.key, cell, classes.length);
    if (to) move(to);
    else if (event.key === 'Enter' || event.key === ' ') onChoose(cell);
    else return;
    event.preventDefault();
  };
  return (
    <div class="scroll">
      <table class="matrix live" role="grid" aria-labelledby="matrix">
        <thead>
          <tr>
            <td />
            <th class="axis" colSpan={classes.length}>
              predicted
            </th>
          </tr>
          <tr>
            <th class="n">actual</th>
            {classes.map((name) => (
              <th class="class" scope="col" key={name}>
                <span>{name}</span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody ref={body}>
          {confusion.map((row, actual) => (
            <tr key={actual}>
              <th scope="row">{classes[actual]}</th>
              {row.map((count, predicted) => {
                const cell = { actual, predicted };
                return (
                  <td
                    key={predicted}
                    class={`h${Math.round(cellStrength(count, row) * (heatLevels - 1))}`}
                    aria-label={`${classes[actual]} taken for ${classes[predicted]}: ${count}`}
                    aria-selected={isSame(chosen, cell)}
                    tabIndex={isSame(at, cell) ? 0 : -1}
                    onClick={() => {
                      move(cell);
                      onChoose(cell);
                    }}
                    onKeyDown={(event) => onKeyDown(event, cell)}
                  >
                    {count}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function isSame(a: Cell | undefined, b: Cell): boolean {
  return a?.actual === b.actual && a.predicted === b.predicted;
}

/** The cell that an arrow key leads to, within the matrix. */
function neighbour(key: string, { actual, predicted }: Cell, size: number): Cell | undefined {
  const inside = (value: number) => Math.min(size - 1, Math.max(0, value));
  if (key === 'ArrowUp') return { actual: inside(actual - 1), predicted };
  if (key === 'ArrowDown') return { actual: inside(actual + 1), predicted };
  if (key === 'ArrowLeft') return { actual, predicted: inside(predicted - 1) };
  if (key === 'ArrowRight') return { actual, predicted: inside(predicted + 1) };
  if (key === 'Home') return { actual, predicted: 0 };
  return key === 'End' ? { actual, predicted: size - 1 } : undefined;
}
