import type { sendUnaryData, ServerUnaryCall, ServerWritableStream } from '@grpc/grpc-js';
import { z } from 'zod';
import { ClusterError, toStatus } from '../../proto/errors.js';
import type { HistoryReply, StatusReply } from '../../proto/messages.js';
import type { RunControl } from './control.js';
import { mostPoints } from '../state/progress.js';

/** The coordinator as seen by the control service. Promises settle once the job is prepared. */
export interface ControlSource {
  readonly status: () => Promise<StatusReply>;
  readonly history: (points: number) => Promise<HistoryReply>;
  readonly control: () => Promise<RunControl>;
  /** Sends the status repeatedly until the run is over. */
  readonly watch: (call: ServerWritableStream<object, StatusReply>) => void;
}

/** Largest number of workers that a request may ask for. */
export const mostWorkers = 1_024;
const scaleRequest = z.object({ workers: z.int().min(0).max(mostWorkers) });
const historyRequest = z.object({ points: z.int().min(0).max(mostPoints) });

/** Handlers of the Control service. */
export function controlHandlers({ status, history, control, watch }: ControlSource) {
  return {
    Status: unary(status),
    Watch: watch,
    History: unary(async (request) => history(checkPoints(request))),
    Pause: unary(async () => (await control()).pause()),
    Resume: unary(async () => (await control()).resume()),
    Checkpoint: unary(async () => (await control()).checkpoint()),
    Stop: unary(async () => (await control()).stop()),
    Scale: unary(async (request) => (await control()).scale(checkWorkers(request))),
  };
}

/** @throws ClusterError BAD_MESSAGE */
export function checkWorkers(request: unknown): number {
  const parsed = scaleRequest.safeParse(request);
  if (parsed.success) return parsed.data.workers;
  throw outOfRange('scale', `0 to ${mostWorkers} workers`, request, 'workers');
}

/** @throws ClusterError BAD_MESSAGE */
export function checkPoints(request: unknown): number {
  const parsed = historyRequest.safeParse(request);
  if (parsed.success) return parsed.data.points === 0 ? mostPoints : parsed.data.points;
  throw outOfRange('history', `0 to ${mostPoints} points`, request, 'points');
}

function outOfRange(operation: string, expected: string, request: unknown, field: string): ClusterError {
  const found = JSON.stringify((request as Record<string, unknown> | undefined)?.[field]);
  return new ClusterError('BAD_MESSAGE', `${operation}: expected ${expected}, got ${found}`);
}

function unary<Reply>(answer: (request: unknown) => Promise<Reply>) {
  return ({ request }: ServerUnaryCall<unknown, Reply>, reply: sendUnaryData<Reply>): void => {
    answer(request).then(
      (found) => reply(null, found),
      (error: Error) => reply(toStatus(error instanceof ClusterError ? error : refusal(error))),
    );
  };
}

function refusal(cause: Error): ClusterError {
  return new ClusterError('REFUSED', `control: ${cause.message}`, { cause });
}
