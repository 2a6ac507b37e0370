import { useMemo } from 'preact/hooks';
import type { ChartStyle } from '../../../run/report/charts/chart.js';
import { accuracyChart, learningRateChart, speedChart } from '../../../run/report/charts/epochs.js';
import { lossChart } from '../../../run/report/charts/loss.js';
import { formatCount, formatShare } from '../../../run/report/format.js';
import { lectureWindow } from '../../../run/report/running-mean.js';
import { ChartView } from './chart.js';
import { columns, type PageState } from './state.js';

interface CurveData extends Pick<PageState, 'curves' | 'evaluations'> {
  readonly stepsPerEpoch: number;
}

/** Loss, accuracy, learning rate and speed so far. */
export function Curves({ state: { curves, evaluations, run, status } }: { readonly state: PageState }) {
  const { stepsPerEpoch } = run;
  const data = useMemo(() => ({ curves, evaluations, stepsPerEpoch }), [curves, evaluations, stepsPerEpoch]);
  const { means } = status;
  if (curves.loss.length === 0) return <EmptySection />;
  return (
    <>
      <section>
        <h2>Loss</h2>
        <p class="note">Training loss per step (cross-entropy), before the update.</p>
        <ChartView
          label={`Loss over steps${means ? `, now ${means.loss.toFixed(4)}` : ''}`}
          data={data}
          draw={drawLoss}
        />
      </section>
      <section>
        <div class="pair three">
          <div>
            <h2>Accuracy</h2>
            <ChartView
              label={`Accuracy over epochs${means ? `, in training now ${formatShare(means.accuracy)}` : ''}`}
              data={data}
              draw={drawAccuracy}
            />
          </div>
          <div>
            <h2>Images per second</h2>
            <ChartView
              label={`Images per second over epochs${means ? `, now ${formatCount(means.imagesPerSecond)}` : ''}`}
              data={data}
              draw={drawSpeed}
            />
          </div>
          <div>
            <h2>Learning rate</h2>
            <ChartView
              label={`Learning rate over epochs, now ${status.learningRate?.toPrecision(3) ?? 'unknown'}`}
              data={data}
              draw={drawRate}
            />
          </div>
        </div>
      </section>
    </>
  );
}

function EmptySection() {
  return (
    <section>
      <h2>Loss</h2>
      <p>No steps yet.</p>
    </section>
  );
}

function drawLoss({ curves, evaluations }: CurveData, style: ChartStyle) {
  const updates = (step: number) => step + 1;
  return lossChart({ raw: columns(curves.loss, updates), mean: columns(curves.meanLoss, updates), evaluations }, style);
}

function drawAccuracy({ curves, evaluations, stepsPerEpoch }: CurveData, style: ChartStyle) {
  const epochs = (step: number) => (step + 1) / stepsPerEpoch;
  const training = columns(curves.meanAccuracy, epochs);
  const raw = columns(curves.accuracy, epochs);
  const data = { training, trainingName: `${lectureWindow}-step mean`, raw, evaluations, stepsPerEpoch };
  return accuracyChart(data, style);
}

function drawSpeed({ curves, stepsPerEpoch }: CurveData, style: ChartStyle) {
  return speedChart(
    columns(curves.speed, (step) => (step + 1) / stepsPerEpoch),
    style,
  );
}

function drawRate({ curves, stepsPerEpoch }: CurveData, style: ChartStyle) {
  return learningRateChart(
    columns(curves.learningRate, (step) => step / stepsPerEpoch),
    style,
  );
}
