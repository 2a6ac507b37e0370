import type { OperatorFields } from '../resource/operator-fields.js';

type Resources = NonNullable<OperatorFields['workers']['resources']>;

/** Resources of NVIDIA's device plugin: GPUs, shared ones (`nvidia.com/gpu.shared`), slices (`nvidia.com/mig-1g.10gb`). */
const gpuResource = /^nvidia\.com\/(gpu|mig-)/;

/** True if worker pods request GPUs, in `workers.resources` or in their template. */
export function requestsGpus({ resources, template }: OperatorFields['workers']): boolean {
  const containers = (template?.spec?.['containers'] ?? []) as readonly { readonly resources?: Resources }[];
  return [resources, ...containers.map((container) => container.resources)].some(hasGpu);
}

function hasGpu(resources: Resources | undefined): boolean {
  const requested = Object.entries({ ...resources?.requests, ...resources?.limits });
  return requested.some(([name, quantity]) => gpuResource.test(name) && Number(quantity) > 0);
}

/**
 * Defaults the engine to `onnx` on `cuda` for workers with GPUs, which the native engine would keep idle.
 * @param spec - as written by the user.
 */
export function withGpuDevice(spec: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const engine = spec['engine'] ?? {};
  if (!isSection(engine) || engine['device'] !== undefined) return spec;
  // TF.js's native binding chooses its device by installation, and the native engine runs on CPUs.
  if (engine['name'] !== undefined && engine['name'] !== 'onnx') return spec;
  return { ...spec, engine: { ...engine, name: 'onnx', device: 'cuda' } };
}

function isSection(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
