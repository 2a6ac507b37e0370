import { formatCount } from '../../../run/report/format.js';
import { ranges } from '../../../coordinator/state/event-text.js';
import type { WorkerRow } from '../../../coordinator/state/feed.js';

/** A row per worker. ARIA roles are explicit because the layout for phones removes those of table elements. */
export function Workers({ workers }: { readonly workers: readonly WorkerRow[] }) {
  return (
    <section>
      <h2 id="workers">Workers</h2>
      {workers.length === 0 ? (
        <p>No workers connected.</p>
      ) : (
        <table class="workers wide-table" role="table" aria-labelledby="workers">
          <thead role="rowgroup">
            <tr role="row">
              {columns.map(({ name, isNumber }) => (
                <th role="columnheader" scope="col" class={isNumber ? 'n' : undefined} key={name}>
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody role="rowgroup">
            {workers.map((worker) => (
              <tr role="row" key={worker.workerId}>
                {columns.map(({ name, isNumber, show }) => (
                  <td role="cell" class={isNumber ? 'n' : undefined} data-label={name} key={name}>
                    {show(worker)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

const columns = [
  { name: 'Worker', show: ({ workerId }: WorkerRow) => <strong>{workerId}</strong> },
  {
    name: 'State',
    show: ({ state, waitedFor }: WorkerRow) => (
      <>
        {state}
        {waitedFor !== undefined && <span class="waited">holding up the step: {waitedFor}</span>}
      </>
    ),
  },
  {
    name: 'Shards',
    show: ({ shards, holding }: WorkerRow) =>
      ranges(shards) || (holding.length > 0 ? `(holds ${ranges(holding)})` : '–'),
  },
  {
    name: 'Engine and device',
    show: ({ engine, engineReason }: WorkerRow) => <span title={engineReason}>{engine || '–'}</span>,
  },
  { name: 'Step', isNumber: true, show: ({ stepMs }: WorkerRow) => (stepMs > 0 ? `${stepMs.toFixed(1)} ms` : '–') },
  { name: 'Sent', isNumber: true, show: ({ sentBytes }: WorkerRow) => megabytes(sentBytes) },
  { name: 'Received', isNumber: true, show: ({ receivedBytes }: WorkerRow) => megabytes(receivedBytes) },
  { name: 'Memory', isNumber: true, show: ({ residentBytes }: WorkerRow) => megabytes(residentBytes) },
];

function megabytes(bytes: number): string {
  return bytes < 1e10 ? `${formatCount(bytes / 1e6)} MB` : `${formatCount(bytes / 1e9)} GB`;
}
