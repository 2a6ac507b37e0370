import type { OperatorFields } from '../resource/operator-fields.js';

type Resources = NonNullable<OperatorFields['workers']['resources']>;

/** NVIDIA's device plugin: whole GPUs, shared ones (`nvidia.com/gpu.shared`), and slices (`nvidia.com/mig-1g.10gb`). */
const gpuResource = /^nvidia\.com\/(gpu|mig-)/;

/** Whether workers' pods ask for GPUs, in `workers.resources` or in their template. */
export function asksForGpus({ resources, template }: OperatorFields['workers']): boolean {
  const containers = (template?.spec?.['containers'] ?? []) as readonly { readonly resources?: Resources }[];
  return [resources, ...containers.map((container) => container.resources)].some(hasGpu);
}

function hasGpu(resources: Resources | undefined): boolean {
  const asked = Object.entries({ ...resources?.requests, ...resources?.limits });
  return asked.some(([name, quantity]) => gpuResource.test(name) && Number(quantity) > 0);
}

/**
 * A job spec whose workers have GPUs says `engine.device: cuda` where it says nothing: with `auto`, a worker that finds its
 * GPU out of order would compute on the CPU, and hold the GPU idle.
 * @param spec - as the user wrote it.
 */
export function withGpuDevice(spec: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const engine = spec['engine'] ?? {};
  if (!isSection(engine) || engine['device'] !== undefined) return spec;
  // TF.js's native binding is for GPUs or for CPUs as it is installed, and nchwc is for CPUs.
  if (engine['name'] === 'tensorflow' || engine['lowering'] === 'nchwc') return spec;
  return { ...spec, engine: { ...engine, device: 'cuda' } };
}

function isSection(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
