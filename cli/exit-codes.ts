/** Exit code of a command that could not do what it was asked for. */
export const failedExitCode = 1;
/** Exit code of a command whose arguments or job spec do not make sense. */
export const wrongUsageExitCode = 2;
/** Exit code of a run that Ctrl-C or SIGTERM ended, as shells have it. */
export const interruptedExitCode = 130;
