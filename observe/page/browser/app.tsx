import type { ConnectionState } from './connection.js';
import { Curves } from './curves.js';
import { Digests, Events } from './lists.js';
import { Progress } from './progress.js';
import type { PageState } from './state.js';
import { TestSet } from './test-set.js';
import { Workers } from './workers.js';

/** The page: everything below `main`. */
export function App({
  connection,
  state,
}: {
  readonly connection: ConnectionState;
  readonly state: PageState | undefined;
}) {
  if (!state) return <p>Waiting for the coordinator …</p>;
  return (
    <>
      <ConnectionBanner connection={connection} state={state} />
      <Progress state={state} connection={connection} />
      <Curves state={state} />
      <Workers workers={state.status.workers} />
      <TestSet state={state} />
      <Events events={state.events} />
      <Digests digests={state.digests} epochs={state.run.epochs} isOver={connection === 'over'} />
    </>
  );
}

/** Banner for a page that isn't current. */
function ConnectionBanner({
  connection,
  state: { run, status },
}: {
  readonly connection: ConnectionState;
  readonly state: PageState;
}) {
  return (
    <div role="status">
      {connection === 'lost' && <p class="banner">Disconnected. Showing the last known state; reconnecting …</p>}
      {connection === 'over' && (
        <p class="banner over">
          The run is over: {status.state}
          {status.reason && `, ${status.reason}`}. This page shows the final state.
          {status.report && (
            <>
              {' '}
              The report is in <code>{run.path}/report/index.html</code> on the coordinator’s machine.
            </>
          )}
        </p>
      )}
    </div>
  );
}
