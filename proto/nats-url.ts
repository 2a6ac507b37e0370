/**
 * Addresses of NATS servers, as the command line and the TrainingJob resource both take them: one or several with commas
 * between, all `nats://` or all `tls://`. Nothing else fits in, so no user, password or token does.
 */

const host = String.raw`([A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?|\[[0-9a-fA-F:.]{2,45}\])`;
const port = '(:(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5]?[0-9]{1,4}))?';
const listOf = (scheme: string) => `${scheme}://${host}${port}/?(,${scheme}://${host}${port}/?)*`;

/** Understood alike by JavaScript and by Kubernetes' API server. */
export const natsUrlPattern = new RegExp(`^(${listOf('nats')}|${listOf('tls')})$`);

/** Longest list of addresses; characters. */
export const maxNatsUrl = 500;
