import type { AdmissionLimits } from './decide-admission.js';

/**
 * Limits of the port that workers join. Failures are few per second because each can cost a TLS handshake, 1 to 2 ms.
 * A known address may have many pending connections: a thousand workers of one host may join at once, with three each.
 */
export const workerPortLimits: AdmissionLimits = {
  pending: { perAddress: 64, perKnownAddress: 512, total: 256 },
  failures: { perAddress: { burst: 32, perSecond: 8 }, total: { burst: 64, perSecond: 32 } },
  waiting: { perAddress: 3_072, total: 4_096 },
  authenticated: { perAddress: 4_096, total: 4_096 },
  replaceAfterMs: 2_000,
  authenticateMs: { unknown: 5_000, known: 20_000 },
  bytes: 64 * 1024,
};

/** Limits of the page's port. A browser opens six connections; browsers behind one proxy share its address. */
export const pagePortLimits: AdmissionLimits = {
  pending: { perAddress: 32, perKnownAddress: 32, total: 128 },
  failures: { perAddress: { burst: 64, perSecond: 8 }, total: { burst: 128, perSecond: 32 } },
  waiting: { perAddress: 64, total: 256 },
  authenticated: { perAddress: 128, total: 256 },
  replaceAfterMs: 1_000,
  authenticateMs: { unknown: 5_000, known: 20_000 },
  bytes: 64 * 1024,
};
