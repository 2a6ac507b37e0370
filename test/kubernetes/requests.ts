import { readFileSync } from 'node:fs';

/** One request that the API server has answered. */
export interface AuditedRequest {
  readonly user: string;
  readonly agent: string;
  readonly verb: string;
  /** Such as `pods`, `pods/status`, `trainingjobs`. */
  readonly resource: string;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly code: number;
}

interface AuditLine {
  readonly user: { readonly username: string };
  readonly userAgent?: string;
  readonly verb: string;
  readonly objectRef?: { resource: string; subresource?: string; namespace?: string; name?: string };
  readonly responseStatus?: { readonly code?: number };
}

export function readAudit(path: string): AuditedRequest[] {
  const lines = readFileSync(path, 'utf8').split('\n');
  // The last one may be half written.
  return lines.slice(0, -1).map((line) => describe(JSON.parse(line) as AuditLine));
}

/** Count of each "verb resource". */
export function countRequests(requests: readonly AuditedRequest[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { verb, resource } of requests) counts[`${verb} ${resource}`] = (counts[`${verb} ${resource}`] ?? 0) + 1;
  return counts;
}

function describe(line: AuditLine): AuditedRequest {
  const { resource = '', subresource, namespace, name } = line.objectRef ?? {};
  return {
    user: line.user.username,
    agent: line.userAgent ?? '',
    verb: line.verb,
    resource: subresource === undefined ? resource : `${resource}/${subresource}`,
    namespace,
    name,
    code: line.responseStatus?.code ?? 0,
  };
}
