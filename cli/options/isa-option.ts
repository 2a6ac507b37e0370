import { type Command, Option } from 'commander';
import { type InstructionSet, instructionSets } from '../../engine/engine.js';
import { EngineError } from '../../engine/errors.js';
import { JobError } from '../../job/errors.js';
import type { JobSpec } from '../../job/spec.js';
import { refuseUnused } from './unused-flags.js';

/** `--isa`, for commands that compute; also `LOCKSTEP_ISA`. */
export function isaOption(): Option {
  const help = 'instruction set of the native engine (default: the fastest that works); the result does not change';
  return new Option('--isa <set>', help).choices(instructionSets).env('LOCKSTEP_ISA');
}

/**
 * Rejects `--isa` for a job of another engine, and an instruction set that this computer doesn't have.
 * @throws JobError BAD_OPTION
 */
export async function checkIsa(command: Command, { name }: JobSpec['engine']): Promise<void> {
  const { isa } = command.opts<{ isa?: InstructionSet }>();
  if (name !== 'native') return refuseUnused(command, ['--isa'], `engine.name: native, not ${name}, with it`);
  if (isa === undefined) return;
  const { loadNative } = await import('../../engine/native/load/load.js');
  try {
    loadNative(isa);
  } catch (error) {
    if (error instanceof EngineError) throw new JobError('BAD_OPTION', `--isa: ${error.message}`);
    throw error;
  }
}
