// Original file: proto/lockstep/v1/control.proto

import type { EvaluationPointInput as _lockstep_v1_EvaluationPointInput, EvaluationPoint as _lockstep_v1_EvaluationPoint } from '../../lockstep/v1/EvaluationPoint.js';
import type { NoteInput as _lockstep_v1_NoteInput, Note as _lockstep_v1_Note } from '../../lockstep/v1/Note.js';

export interface HistoryReplyInput {
  /**
   * Loss curve with at most 500 points, ascending. Each point is the mean training loss of consecutive steps; `steps`
   * has the committed updates after the last of them. Both lists have the same length.
   */
  'steps'?: (number)[];
  'losses'?: (number | string)[];
  /**
   * The last evaluations, at most 500, ascending.
   */
  'evaluations'?: (_lockstep_v1_EvaluationPointInput)[];
  /**
   * At most 50 recent events since the coordinator's start, oldest first.
   */
  'notes'?: (_lockstep_v1_NoteInput)[];
}

export interface HistoryReply {
  /**
   * Loss curve with at most 500 points, ascending. Each point is the mean training loss of consecutive steps; `steps`
   * has the committed updates after the last of them. Both lists have the same length.
   */
  'steps': (number)[];
  'losses': (number)[];
  /**
   * The last evaluations, at most 500, ascending.
   */
  'evaluations': (_lockstep_v1_EvaluationPoint)[];
  /**
   * At most 50 recent events since the coordinator's start, oldest first.
   */
  'notes': (_lockstep_v1_Note)[];
}
