import type { sendUnaryData, ServerUnaryCall } from '@grpc/grpc-js';
import { z } from 'zod';
import { ClusterError, toStatus } from '../proto/errors.js';
import type { StatusReply } from '../proto/messages.js';
import type { RunControl } from './control.js';

/** What the control service asks of the coordinator; either settles when the job is prepared. */
export interface ControlSource {
  readonly status: () => Promise<StatusReply>;
  readonly control: () => Promise<RunControl>;
}

/** The most workers that one request may ask for. */
const mostWorkers = 1_024;
const scaleRequest = z.object({ workers: z.int().min(0).max(mostWorkers) });

/** Handlers of the Control service. */
export function controlHandlers({ status, control }: ControlSource) {
  return {
    Status: unary(status),
    Pause: unary(async () => (await control()).pause()),
    Resume: unary(async () => (await control()).resume()),
    Checkpoint: unary(async () => (await control()).checkpoint()),
    Stop: unary(async () => (await control()).stop()),
    Scale: unary(async (request) => (await control()).scale(checkWorkers(request))),
  };
}

/** @throws ClusterError BAD_MESSAGE */
function checkWorkers(request: unknown): number {
  const parsed = scaleRequest.safeParse(request);
  if (parsed.success) return parsed.data.workers;
  const found = JSON.stringify((request as { workers?: unknown } | undefined)?.workers);
  throw new ClusterError('BAD_MESSAGE', `scale: expected 0 to ${mostWorkers} workers, got ${found}`);
}

function unary<Reply>(answer: (request: unknown) => Promise<Reply>) {
  return ({ request }: ServerUnaryCall<unknown, Reply>, reply: sendUnaryData<Reply>): void => {
    answer(request).then(
      (found) => reply(null, found),
      (error: Error) => reply(error instanceof ClusterError ? toStatus(error) : error),
    );
  };
}
