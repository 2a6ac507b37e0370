import type { Command } from 'commander';

/** Loaders of the commands. Only the named command's module is loaded, so a worker doesn't wait for the coordinator's. */
export const commands: Readonly<Record<string, () => Promise<Command>>> = {
  start: async () => (await import('./train.js')).startCommand(),
  train: async () => (await import('./train.js')).trainCommand(),
  coordinator: async () => (await import('./coordinator.js')).coordinatorCommand(),
  worker: async () => (await import('./worker.js')).workerCommand(),
  status: async () => (await import('./status.js')).statusCommand(),
  watch: async () => (await import('./watch.js')).watchCommand(),
  pause: async () => (await import('./control.js')).pauseCommand(),
  resume: async () => (await import('./control.js')).resumeCommand(),
  checkpoint: async () => (await import('./control.js')).checkpointCommand(),
  stop: async () => (await import('./control.js')).stopCommand(),
  scale: async () => (await import('./control.js')).scaleCommand(),
  runs: async () => (await import('./runs.js')).runsCommand(),
  compare: async () => (await import('./compare.js')).compareCommand(),
  verify: async () => (await import('./verify.js')).verifyCommand(),
  evaluate: async () => (await import('./evaluate.js')).evaluateCommand(),
  predict: async () => (await import('./predict.js')).predictCommand(),
  export: async () => (await import('./export.js')).exportCommand(),
  certs: async () => (await import('./certs.js')).certsCommand(),
  data: async () => (await import('./data.js')).dataCommand(),
};
