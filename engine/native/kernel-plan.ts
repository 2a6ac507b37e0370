/** A kernel plan and its constants: what the kernels' runner takes. */
export interface KernelPlan {
  readonly plan: Float64Array;
  readonly constants: Uint8Array;
}

const wordBytes = 8;

/** The plan as bytes: its length, its words, and the constants; in the byte order of the machine. */
export function encodeKernelPlan({ plan, constants }: KernelPlan): Uint8Array {
  const bytes = new Uint8Array(wordBytes + plan.byteLength + constants.length);
  new Float64Array(bytes.buffer, 0, 1)[0] = plan.length;
  bytes.set(new Uint8Array(plan.buffer, plan.byteOffset, plan.byteLength), wordBytes);
  bytes.set(constants, wordBytes + plan.byteLength);
  return bytes;
}

/** The runner validates plan and constants; only the length is used here. */
export function decodeKernelPlan(bytes: Uint8Array): KernelPlan {
  const copy = bytes.slice().buffer;
  const length = copy.byteLength < wordBytes ? 0 : new Float64Array(copy, 0, 1)[0]!;
  const most = Math.floor(Math.max(0, copy.byteLength - wordBytes) / wordBytes);
  const words = Number.isInteger(length) && length >= 0 ? Math.min(length, most) : 0;
  return {
    plan: new Float64Array(copy, Math.min(wordBytes, copy.byteLength), words),
    constants: new Uint8Array(copy, Math.min(wordBytes, copy.byteLength) + words * wordBytes),
  };
}
