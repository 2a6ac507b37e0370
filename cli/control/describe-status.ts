import { formatCount, formatDuration, formatShare } from '../../run/report/format.js';
import type { StatusReply, WorkerStatus } from '../../proto/messages.js';

/** A run's status as several lines of text. */
export function describeStatus(status: StatusReply): string {
  const { job, model, dataset, state, reason } = status;
  const head = [`${job}: ${model} on ${dataset}`, `${state} (${reason})`];
  const lines = [progressLine(status), trainingLine(status), testLine(status), keptLine(status), ...doubtLines(status)];
  return [...head, ...lines, ...status.workers.map(describeWorker)].join('\n');
}

export function progressLine({ epoch, epochs, step, totalSteps, secondsLeft, samplesTrained }: StatusReply): string {
  const left = secondsLeft > 0 ? `, ${formatDuration(secondsLeft)} left` : '';
  const place = `epoch ${epoch}/${epochs}, step ${formatCount(step)}/${formatCount(totalSteps)}`;
  return `${place}, ${formatCount(samplesTrained)} samples${left}`;
}

export function trainingLine({ loss, lossMean, learningRate, imagesPerSecond }: StatusReply): string {
  const rate = `learning rate ${Number(learningRate.toPrecision(4))}, ${formatCount(imagesPerSecond)} images/s`;
  return `loss ${loss.toFixed(4)}, mean of 10 steps ${lossMean.toFixed(4)}, ${rate}`;
}

export function testLine({ testEpoch, testLoss, testAccuracy }: StatusReply): string {
  if (testEpoch === 0) return 'test: not evaluated yet';
  return `test after epoch ${testEpoch}: average loss ${testLoss.toFixed(4)}, accuracy ${formatShare(testAccuracy)}`;
}

/** Results so far: digest, checkpoint and run directory. */
export function keptLine({ digest, digestEpoch, checkpointStep, runDirectory }: StatusReply): string {
  const chained = digestEpoch === 0 ? '' : `digest of epoch ${digestEpoch} ${digest.slice(0, 16)}, `;
  return `${chained}checkpoint after step ${checkpointStep}, in ${runDirectory}`;
}

/** Reasons to doubt the result, and causes of slow steps; empty for most runs. */
export function doubtLines({ faults, skipped, audited, speculated, synthetic }: StatusReply): string[] {
  const lines: string[] = [];
  if (synthetic) lines.push('SYNTHETIC DATA: these results say nothing about CIFAR-10');
  if (faults > 0) lines.push(`NUMERICS FAULTS: ${faults}; see the log for workers, shards and steps`);
  if (skipped > 0) lines.push(`steps skipped because of non-finite gradients: ${skipped}`);
  if (audited > 0) lines.push(`shard-steps audited: ${audited}`);
  if (speculated > 0) lines.push(`backups of slow shards: ${speculated}`);
  return lines;
}

function describeWorker(worker: WorkerStatus): string {
  const why = worker.engineReason === '' ? '' : `  (${worker.engineReason})`;
  return `  ${workerCells(worker).join('  ')}${why}`;
}

/** A worker's name, state, shards, engine and memory. */
export function workerCells({ workerId, state, shards, holding, engine, residentBytes }: WorkerStatus): string[] {
  const work = state === 'standby' ? `holds ${holding.join(' ') || 'none'}` : `shards ${shards.join(' ') || 'none'}`;
  return [workerId, state, work, engine, `${Math.round(residentBytes / 1e6)} MB`];
}
