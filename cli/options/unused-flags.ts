import { type Command, Option } from 'commander';
import { JobError } from '../../job/errors.js';

/** Flags of `names`, such as `--epochs`, that were given on the command line rather than by default or environment. */
export function givenFlags(command: Command, names: readonly string[]): string[] {
  return names.filter((name) => command.getOptionValueSource(new Option(name).attributeName()) === 'cli');
}

/**
 * Rejects flags that would have no effect in this combination.
 * @param expected - the flags that they need or exclude, for the message.
 * @throws JobError BAD_OPTION that names all rejected flags.
 */
export function refuseUnused(command: Command, names: readonly string[], expected: string): void {
  const given = givenFlags(command, names);
  if (given.length === 0) return;
  const flags = given.join(', ');
  throw new JobError('BAD_OPTION', `${flags}: expected ${expected}, no effect otherwise; remove ${flags}`);
}

/**
 * Rejects flags whose value is empty or the next flag, as when a shell variable is unset.
 * @throws JobError BAD_OPTION
 */
export function refuseEmpty(command: Command): void {
  for (const option of command.options) {
    const name = option.attributeName();
    const value: unknown = command.getOptionValue(name);
    if (command.getOptionValueSource(name) !== 'cli' || typeof value !== 'string') continue;
    if (value !== '' && !value.startsWith('--')) continue;
    throw new JobError(
      'BAD_OPTION',
      `${option.long}: expected a value, got "${value}"; check for an unset shell variable`,
    );
  }
}
