/** Exit code of a run that Ctrl-C or SIGTERM ended, as shells have it. */
export const interruptedExitCode = 130;
