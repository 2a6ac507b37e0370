/** An NVIDIA GPU that a process of this one may use. */
export interface Gpu {
  /** What `CUDA_VISIBLE_DEVICES` calls it: an index, or a UUID of a GPU or of a slice of one (MIG). */
  readonly device: string;
  /** e.g. `NVIDIA H200` */
  readonly name: string;
}

/** The model in `/proc/driver/nvidia/gpus/BUS/information`; none where the driver was told to leave the GPU alone. */
export function parseInformation(text: string): string | undefined {
  const field = (key: string) => new RegExp(`^${key}:(.*)$`, 'm').exec(text)?.[1]?.trim();
  return field('GPU Excluded') === 'Yes' ? undefined : field('Model');
}

/** Names in the output of `nvidia-smi --query-gpu=index,name --format=csv,noheader`; a sentence has none. */
export function parseSmi(text: string): string[] {
  return text.split('\n').flatMap((line) => /^\d+, (.+)$/.exec(line.trim())?.[1] ?? []);
}

/**
 * The GPUs that CUDA would show to a process with this `CUDA_VISIBLE_DEVICES`: all without it, else those that it names,
 * up to the first that is none.
 * @param names - of all that the host has, by index.
 */
export function visibleGpus(names: readonly string[], setting: string | undefined): Gpu[] {
  if (setting === undefined) return names.map((name, index) => ({ device: String(index), name }));
  if (names.length === 0) return [];
  const devices = setting.split(',').map((device) => device.trim());
  const end = devices.findIndex((device) => nameOf(names, device) === undefined);
  const shown = end < 0 ? devices : devices.slice(0, end);
  return shown.map((device) => ({ device, name: nameOf(names, device)! }));
}

/** Whether there is a GPU of a given UUID only CUDA knows. */
function nameOf(names: readonly string[], device: string): string | undefined {
  if (/^\d+$/.test(device)) return names[Number(device)];
  return /^(GPU|MIG)-/.test(device) ? device : undefined;
}

/** The GPU with the fewest workers; the first of several. Undefined where there are none. */
export function chooseGpu(gpus: readonly Gpu[], inUse: readonly (Gpu | undefined)[]): Gpu | undefined {
  const load = (gpu: Gpu) => inUse.filter((other) => other?.device === gpu.device).length;
  return gpus.reduce<Gpu | undefined>((best, gpu) => (best && load(best) <= load(gpu) ? best : gpu), undefined);
}

/**
 * What makes a process see one GPU only, which it then calls device 0, and find CUDA.
 * @param env - of the process that starts it.
 * @param libraries - folders with CUDA's libraries, besides those that the machine has.
 */
export function gpuEnvironment(gpu: Gpu, env: NodeJS.ProcessEnv, libraries: readonly string[]): Record<string, string> {
  const path = [...libraries, env['LD_LIBRARY_PATH'] ?? ''].filter((folder) => folder !== '').join(':');
  return {
    CUDA_VISIBLE_DEVICES: gpu.device,
    // CUDA by itself counts the fastest first. Whoever has named GPUs has done so in the order of his own environment.
    ...(env['CUDA_VISIBLE_DEVICES'] === undefined && { CUDA_DEVICE_ORDER: 'PCI_BUS_ID' }),
    ...(path !== '' && { LD_LIBRARY_PATH: path }),
  };
}

/** e.g. `2 GPUs (NVIDIA H200)` */
export function describeGpus(gpus: readonly Gpu[]): string {
  const names = [...new Set(gpus.map(({ name }) => name))].join(', ');
  return `${gpus.length === 1 ? '1 GPU' : `${gpus.length} GPUs`} (${names})`;
}
