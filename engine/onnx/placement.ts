import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Feed } from '../feeds.js';
import type { Gpu } from './device.js';
import { OnnxSession } from './session.js';

/** Devices of a program's operators. */
export interface Placement {
  /** Number of operators, without copies. */
  readonly operators: number;
  /** Number of operators on the CPU, by type. */
  readonly onCpu: Readonly<Record<string, number>>;
  /** Copies between device and CPU memory. */
  readonly copies: number;
}

/** Operator types named in the description. */
const listed = 5;

/** An event of ONNX Runtime's profile. */
interface ProfileEvent {
  readonly cat?: string;
  readonly name?: string;
  readonly args?: { readonly op_name?: string; readonly provider?: string };
}

/**
 * Opens a session on a GPU and runs it once, which compiles the device's kernels and records the placement of operators:
 * ONNX Runtime silently runs unsupported operators on the CPU, which is the usual reason for a slow GPU.
 */
export async function openOnGpu(
  model: Uint8Array,
  device: Gpu,
  feeds: Readonly<Record<string, Feed>>,
): Promise<{ readonly session: OnnxSession; readonly placement: Placement }> {
  const folder = await mkdtemp(join(tmpdir(), 'lockstep-profile-'));
  try {
    const session = await OnnxSession.create(model, { device, profile: join(folder, 'run') });
    await session.run(feeds);
    session.endProfiling();
    const [file] = await readdir(folder);
    const profile = JSON.parse(await readFile(join(folder, file!), 'utf8')) as readonly ProfileEvent[];
    return { session, placement: placementOf(profile) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export function placementOf(profile: readonly ProfileEvent[]): Placement {
  const runs = profile.filter(({ cat, name }) => cat === 'Node' && name?.endsWith('_kernel_time'));
  const isCopy = ({ args }: ProfileEvent) => args?.op_name?.startsWith('Memcpy');
  const onCpu: Record<string, number> = {};
  for (const { args } of runs) {
    const type = args?.op_name ?? 'unknown';
    if (args?.provider === 'CPUExecutionProvider') onCpu[type] = (onCpu[type] ?? 0) + 1;
  }
  const copies = runs.filter(isCopy).length;
  return { operators: runs.length - copies, onCpu, copies };
}

/** One line for users. */
export function describePlacement(device: Gpu, { operators, onCpu, copies }: Placement): string {
  const types = Object.entries(onCpu).sort(([, a], [, b]) => b - a);
  const fallen = types.reduce((sum, [, count]) => sum + count, 0);
  if (fallen === 0) return `all ${operators} operators run on ${device.kind}`;
  const list = types.slice(0, listed).map(([type, count]) => `${count} ${type}`);
  if (types.length > listed) list.push('…');
  return (
    `${fallen} of ${operators} operators run on the CPU, as ${device.kind} does not support them (${list.join(', ')}), ` +
    `with ${copies} copies between the two`
  );
}
