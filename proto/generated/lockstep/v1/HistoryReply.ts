// Original file: proto/lockstep/v1/control.proto

import type { EvaluationPointInput as _lockstep_v1_EvaluationPointInput, EvaluationPoint as _lockstep_v1_EvaluationPoint } from '../../lockstep/v1/EvaluationPoint.js';
import type { NoteInput as _lockstep_v1_NoteInput, Note as _lockstep_v1_Note } from '../../lockstep/v1/Note.js';

export interface HistoryReplyInput {
  /**
   * The loss curve, ascending: the mean loss of some steps in a row, and how many updates were committed after the
   * last of them. As many of one as of the other, at most 500.
   */
  'steps'?: (number)[];
  'losses'?: (number | string)[];
  /**
   * The last evaluations, at most 500, ascending.
   */
  'evaluations'?: (_lockstep_v1_EvaluationPointInput)[];
  /**
   * What happened since the coordinator's start, at most the last 50, oldest first.
   */
  'notes'?: (_lockstep_v1_NoteInput)[];
}

export interface HistoryReply {
  /**
   * The loss curve, ascending: the mean loss of some steps in a row, and how many updates were committed after the
   * last of them. As many of one as of the other, at most 500.
   */
  'steps': (number)[];
  'losses': (number)[];
  /**
   * The last evaluations, at most 500, ascending.
   */
  'evaluations': (_lockstep_v1_EvaluationPoint)[];
  /**
   * What happened since the coordinator's start, at most the last 50, oldest first.
   */
  'notes': (_lockstep_v1_Note)[];
}
