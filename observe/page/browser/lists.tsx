import type { DigestEntry } from '../../../run/records.js';
import { formatCount } from '../../../run/report/format.js';
import { type EventEntry, limits } from '../../../coordinator/state/feed.js';

/** Events of the run, newest first. */
export function Events({ events }: { readonly events: readonly EventEntry[] }) {
  return (
    <section>
      <h2 id="events">Events</h2>
      {events.length === 0 ? (
        <p>No events yet.</p>
      ) : (
        <div class="list" role="region" aria-labelledby="events" tabIndex={0}>
          <ol>
            {events.toReversed().map(({ id, atMs, tone, text }) => (
              <li key={id} class={tone}>
                <time dateTime={new Date(atMs).toISOString()}>{clock(atMs)}</time> <span>{text}</span>
              </li>
            ))}
          </ol>
        </div>
      )}
      {events.length === limits.events && (
        <p class="note">The last {limits.events} events; earlier ones are in log.jsonl of the run directory.</p>
      )}
    </section>
  );
}

interface DigestsProps {
  readonly digests: readonly DigestEntry[];
  readonly epochs: number;
  /** True if the server no longer answers. */
  readonly isOver: boolean;
}

/** The digest chain, newest entry first. */
export function Digests({ digests, epochs, isOver }: DigestsProps) {
  return (
    <section>
      <h2 id="digests">Digests</h2>
      <p class="note">
        SHA-256 of parameters, optimizer state and running statistics at each epoch’s end, chained. All runs of a job
        share these digests, regardless of the workers.
      </p>
      {digests.length === 0 ? (
        <p>No epoch completed yet.</p>
      ) : (
        <div class="list" role="region" aria-labelledby="digests" tabIndex={0}>
          <ol>
            {digests.toReversed().map(({ epoch, digest }) => (
              <li key={epoch}>
                <span class="epoch">
                  epoch {formatCount(epoch)} of {formatCount(epochs)}
                </span>{' '}
                <code>{digest}</code>
              </li>
            ))}
          </ol>
        </div>
      )}
      {!isOver && (
        <p>
          <a href="/verify">Verify in this browser</a>: it computes one shard of the step after the newest checkpoint
          and compares the bits.
        </p>
      )}
    </section>
  );
}

function clock(atMs: number): string {
  return new Date(atMs).toLocaleTimeString('en-GB');
}
