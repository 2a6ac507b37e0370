/**
 * Version of Lockstep's arithmetic, by which the native engine computes; see docs/arithmetic.md. It is part of a job's
 * digest: another version gives other bits.
 */
export const arithmeticVersion = 1;

/** Version of the arithmetic of an engine; null if it has the arithmetic of another library. */
export function arithmeticOf({ name }: { readonly name: string }): number | null {
  return name === 'native' ? arithmeticVersion : null;
}
