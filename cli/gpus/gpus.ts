/** An NVIDIA GPU available to child processes. */
export interface Gpu {
  /** Value for `CUDA_VISIBLE_DEVICES`: an index, or the UUID of a GPU or of a MIG slice. */
  readonly device: string;
  /** e.g. `NVIDIA H200` */
  readonly name: string;
}

/** GPU model in `/proc/driver/nvidia/gpus/BUS/information`; undefined for a GPU excluded from the driver. */
export function parseInformation(text: string): string | undefined {
  const field = (key: string) => new RegExp(`^${key}:(.*)$`, 'm').exec(text)?.[1]?.trim();
  return field('GPU Excluded') === 'Yes' ? undefined : field('Model');
}

/** GPU models in the output of `nvidia-smi --query-gpu=index,name --format=csv,noheader`; none in an error message. */
export function parseSmi(text: string): string[] {
  return text.split('\n').flatMap((line) => /^\d+, (.+)$/.exec(line.trim())?.[1] ?? []);
}

/**
 * GPUs that CUDA shows to a process with this `CUDA_VISIBLE_DEVICES`: all if it is unset, else the listed ones before the
 * first invalid entry.
 * @param names - models of the host's GPUs, by index.
 */
export function visibleGpus(names: readonly string[], setting: string | undefined): Gpu[] {
  if (setting === undefined) return names.map((name, index) => ({ device: String(index), name }));
  if (names.length === 0) return [];
  const devices = setting.split(',').map((device) => device.trim());
  const end = devices.findIndex((device) => nameOf(names, device) === undefined);
  const shown = end < 0 ? devices : devices.slice(0, end);
  return shown.map((device) => ({ device, name: nameOf(names, device)! }));
}

/** Model of a GPU, or its UUID, which only CUDA can resolve; undefined for an invalid entry. */
function nameOf(names: readonly string[], device: string): string | undefined {
  if (/^\d+$/.test(device)) return names[Number(device)];
  return /^(GPU|MIG)-/.test(device) ? device : undefined;
}

/** The GPU with the fewest workers, the first of equals; undefined if `gpus` is empty. */
export function chooseGpu(gpus: readonly Gpu[], inUse: readonly (Gpu | undefined)[]): Gpu | undefined {
  const load = (gpu: Gpu) => inUse.filter((other) => other?.device === gpu.device).length;
  return gpus.reduce<Gpu | undefined>((best, gpu) => (best && load(best) <= load(gpu) ? best : gpu), undefined);
}

/**
 * Environment variables that restrict a process to one GPU, its device 0, and let it find CUDA.
 * @param env - environment of the parent process.
 * @param libraries - folders with CUDA libraries, in addition to the machine's own.
 */
export function gpuEnvironment(gpu: Gpu, env: NodeJS.ProcessEnv, libraries: readonly string[]): Record<string, string> {
  const path = [...libraries, env['LD_LIBRARY_PATH'] ?? ''].filter((folder) => folder !== '').join(':');
  return {
    CUDA_VISIBLE_DEVICES: gpu.device,
    // CUDA's default order is fastest first. If the user has selected GPUs, their order applies.
    ...(env['CUDA_VISIBLE_DEVICES'] === undefined && { CUDA_DEVICE_ORDER: 'PCI_BUS_ID' }),
    ...(path !== '' && { LD_LIBRARY_PATH: path }),
  };
}

/** e.g. `2 GPUs (NVIDIA H200)` */
export function describeGpus(gpus: readonly Gpu[]): string {
  const names = [...new Set(gpus.map(({ name }) => name))].join(', ');
  return `${gpus.length === 1 ? '1 GPU' : `${gpus.length} GPUs`} (${names})`;
}
