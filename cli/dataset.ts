import { SingleBar } from 'cli-progress';
import { openDataset } from '../job/data/index.js';
import { limitDataset } from '../job/data/limit.js';
import type { Dataset } from '../job/data/dataset.js';
import type { JobSpec } from '../job/spec.js';

/** Opens a job's dataset where flags and environment say, drawing the download as a bar. */
export async function datasetFor(
  spec: JobSpec,
  options: { readonly data?: string | undefined; readonly allowSynthetic?: boolean },
): Promise<Dataset> {
  const envPath = process.env['LOCKSTEP_DATA'];
  const dataset = await openDataset({
    dataset: spec.data.dataset,
    cwd: process.cwd(),
    ...(options.data === undefined ? {} : { path: options.data }),
    ...(envPath === undefined ? {} : { envPath }),
    allowSynthetic: options.allowSynthetic ?? false,
    onProgress: downloadBar(),
  });
  return spec.data.limit === undefined ? dataset : limitDataset(dataset, spec.data.limit);
}

/** Draws a download on a terminal; silent elsewhere. */
export function downloadBar(): (receivedBytes: number, totalBytes: number | undefined) => void {
  let bar: SingleBar | undefined;
  return (receivedBytes, totalBytes = 0) => {
    if (!process.stderr.isTTY) return;
    const mib = (bytes: number) => Math.round(bytes / 1024 / 1024);
    bar ??= startBar(mib(totalBytes));
    bar.update(mib(receivedBytes));
    if (receivedBytes >= totalBytes) bar.stop();
  };
}

function startBar(total: number): SingleBar {
  const bar = new SingleBar({ format: 'CIFAR-10 {bar} {value}/{total} MiB · {eta_formatted} left', hideCursor: true });
  bar.start(total, 0);
  return bar;
}
