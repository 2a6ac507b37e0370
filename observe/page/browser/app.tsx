import type { Link } from './connection.js';
import { Curves } from './curves.js';
import { Digests, Events } from './lists.js';
import { Progress } from './progress.js';
import type { PageState } from './state.js';
import { TestSet } from './test-set.js';
import { Workers } from './workers.js';

/** The page: everything below `main`. */
export function App({ link, state }: { readonly link: Link; readonly state: PageState | undefined }) {
  if (!state) return <p>Waiting for the coordinator …</p>;
  return (
    <>
      <LinkBanner link={link} state={state} />
      <Progress state={state} link={link} />
      <Curves state={state} />
      <Workers workers={state.status.workers} />
      <TestSet state={state} />
      <Events events={state.events} />
      <Digests digests={state.digests} epochs={state.run.epochs} />
    </>
  );
}

/** Says when the page does not show what is going on now. */
function LinkBanner({ link, state: { run, status } }: { readonly link: Link; readonly state: PageState }) {
  return (
    <div role="status">
      {link === 'lost' && <p class="banner">Disconnected. What you see is the last that came; trying again …</p>}
      {link === 'over' && (
        <p class="banner over">
          The run is over: {status.state}
          {status.reason && `, ${status.reason}`}. This page keeps what it has.
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
