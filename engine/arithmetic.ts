/**
 * Version of Lockstep's arithmetic, by which the native engine computes; see docs/arithmetic.md. It is part of a job's
 * digest: another version gives other bits.
 */
export const arithmeticVersion = 1;
