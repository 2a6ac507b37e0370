import { basename, relative } from 'node:path';

/**
 * The command that runs this program again from the current directory, for messages: `lockstep` when it is installed,
 * else `npx lockstep` or `node dist/cli/main.js`, as it was started.
 */
export function commandName(script = process.argv[1] ?? '', npmCommand = process.env['npm_command']): string {
  if (basename(script) === 'main.js') return `node ${relative(process.cwd(), script)}`;
  return npmCommand === 'exec' ? 'npx lockstep' : 'lockstep';
}
