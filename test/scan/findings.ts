import { z } from 'zod';

export interface Finding {
  readonly scanner: string;
  readonly check: string;
  /** `Kind/name` of a Kubernetes object, a file, or a package. */
  readonly object: string;
  readonly text: string;
}

/** The form of deploy/scan-exceptions.yaml. */
export const exceptionsSchema = z.array(
  z.strictObject({
    reason: z.string().min(20),
    /** `scanner check`. */
    checks: z.array(z.string().regex(/^\S+ \S+$/)).min(1),
    /** Objects that they may name; all of them if left out. */
    objects: z.array(z.string()).min(1).optional(),
  }),
);
export type Exceptions = z.infer<typeof exceptionsSchema>;

/**
 * @param ran - scanners with complete findings; exceptions of others can't be judged.
 * @returns the findings without a written reason, and the exceptions' checks that no finding needs any more.
 */
export function judgeFindings(
  findings: readonly Finding[],
  exceptions: Exceptions,
  ran: ReadonlySet<string>,
): { readonly unexplained: Finding[]; readonly unused: string[] } {
  const covers = ({ checks, objects }: Exceptions[number], { scanner, check, object }: Finding) =>
    checks.includes(`${scanner} ${check}`) && (objects?.includes(object) ?? true);
  const unexplained = findings.filter((finding) => !exceptions.some((exception) => covers(exception, finding)));
  const needed = new Set(findings.map(({ scanner, check }) => `${scanner} ${check}`));
  const unused = exceptions
    .flatMap(({ checks }) => checks)
    .filter((name) => ran.has(name.split(' ')[0]!) && !needed.has(name));
  return { unexplained, unused };
}
