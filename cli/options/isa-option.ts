import { type Command, Option } from 'commander';
import { instructionSets } from '../../engine/engine.js';
import type { JobSpec } from '../../job/spec.js';
import { refuseUnused } from './unused-flags.js';

/** `--isa`, for commands that compute; also `LOCKSTEP_ISA`. */
export function isaOption(): Option {
  const help = 'instruction set of the native engine (default: the fastest that works); the result does not change';
  return new Option('--isa <set>', help).choices(instructionSets).env('LOCKSTEP_ISA');
}

/** Rejects `--isa` for a job of another engine. @throws JobError BAD_OPTION */
export function checkIsa(command: Command, { name }: JobSpec['engine']): void {
  if (name !== 'native') refuseUnused(command, ['--isa'], `engine.name: native, not ${name}, with it`);
}
