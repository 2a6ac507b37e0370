import { useEffect } from 'preact/hooks';
import { formatCount, formatDuration, formatPlural, formatShare } from '../../../run/report/format.js';
import type { ConnectionState } from './connection.js';
import type { PageState } from './state.js';

/** Name, state, progress and current figures of the run. */
export function Progress({ state, connection }: { readonly state: PageState; readonly connection: ConnectionState }) {
  const { run, status } = state;
  const share = status.step / run.totalSteps;
  const percent = `${Math.floor(100 * share)} %`;
  useEffect(() => {
    document.title = `${percent} ${run.name}: ${run.dataset.title}`;
  }, [percent, run]);
  return (
    <header>
      {run.dataset.synthetic && (
        <p class="banner">This run trains on the {run.dataset.title}. Its results say nothing about CIFAR-10.</p>
      )}
      {status.faults > 0 && (
        <p class="banner">
          {formatPlural(status.faults, 'numerics fault')}: workers computed different results for the same shards. See
          the events.
        </p>
      )}
      <h1>{run.name}</h1>
      <p class="note">
        {run.model} on {run.dataset.title} · {formatCount(run.parameterCount)} parameters ·{' '}
        {formatPlural(run.shards, 'shard')}
      </p>
      <p class="state">
        <span class={`badge ${connection === 'lost' ? 'lost' : status.state}`}>{status.state}</span> {status.reason}
      </p>
      <progress value={status.step} max={run.totalSteps} aria-label="Steps done">
        {percent}
      </progress>
      <p class="note">
        Epoch {formatCount(status.epoch)} of {formatCount(run.epochs)} · step {formatCount(status.step)} of{' '}
        {formatCount(run.totalSteps)} ({percent})
        {status.skipped > 0 && ` · ${formatPlural(status.skipped, 'step')} skipped because of non-finite gradients`}
        {status.report && connection !== 'over' && (
          <>
            {' · '}
            <a href="/report/">report</a>
          </>
        )}
      </p>
      <Tiles state={state} />
    </header>
  );
}

function Tiles({ state: { status, evaluations } }: { readonly state: PageState }) {
  const { means, learningRate, secondsLeft, workers } = status;
  const test = evaluations.at(-1);
  const computing = workers.filter(({ shards }) => shards.length > 0).length;
  return (
    <dl class="tiles">
      <Tile name="Training loss" value={means?.loss.toFixed(4)} detail="mean of 10 steps" />
      <Tile name="Training accuracy" value={means && formatShare(means.accuracy)} detail="mean of 10 steps" />
      <Tile
        name="Test accuracy"
        value={test && formatShare(test.correct / test.total, 2)}
        detail={test ? `epoch ${test.epoch}, loss ${test.loss.toFixed(4)}` : 'not evaluated yet'}
      />
      <Tile name="Images per second" value={means && formatCount(means.imagesPerSecond)} detail="mean of 10 steps" />
      <Tile name="Learning rate" value={learningRate?.toPrecision(3)} detail="last step" />
      <Tile
        name="Time left"
        value={secondsLeft === undefined ? undefined : formatDuration(Math.round(secondsLeft)).replace('.0 s', ' s')}
        detail="at this pace"
      />
      <Tile name="Workers" value={String(computing)} detail={`of ${workers.length} computing`} />
    </dl>
  );
}

function Tile({ name, value = '–', detail }: { name: string; value?: string | undefined; detail: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        {value}
        <small>{detail}</small>
      </dd>
    </div>
  );
}
