/**
 * Addresses of NATS servers for the command line and the TrainingJob resource: one or several, separated by commas, all
 * `nats://` or all `tls://`. The pattern leaves no place for a user, password or token.
 */

const host = String.raw`([A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?|\[[0-9a-fA-F:.]{2,45}\])`;
const port = '(:(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5]?[0-9]{1,4}))?';
const listOf = (scheme: string) => `${scheme}://${host}${port}/?(,${scheme}://${host}${port}/?)*`;

/** Has the same meaning in JavaScript and in Kubernetes' API server. */
export const natsUrlPattern = new RegExp(`^(${listOf('nats')}|${listOf('tls')})$`);

/** Longest list of addresses, in characters. */
export const maxNatsUrl = 500;
