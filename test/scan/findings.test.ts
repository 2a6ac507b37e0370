import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { type Exceptions, exceptionsSchema, judgeFindings } from './findings.js';

const finding = (check: string, object: string) => ({ scanner: 'kube', check, object, text: '' });
const reason = 'a reason that is long enough';

describe('a finding', () => {
  const exceptions: Exceptions = [
    { reason, checks: ['kube limits'] },
    { reason, checks: ['kube probes'], objects: ['Pod/a'] },
  ];
  const judge = (...findings: ReturnType<typeof finding>[]) => judgeFindings(findings, exceptions, new Set(['kube']));

  it('passes with a reason for its check, and for its object if the reason names some', () => {
    expect(judge(finding('limits', 'Pod/b'), finding('probes', 'Pod/a'))).toEqual({ unexplained: [], unused: [] });
  });

  it('fails without one, or with one for another object', () => {
    const other = [finding('limits', 'Pod/b'), finding('probes', 'Pod/b'), finding('host', 'Pod/a')];
    expect(judge(...other).unexplained).toEqual(other.slice(1));
  });

  it('that is resolved leaves a reason that must be removed, too, if its scanner ran', () => {
    expect(judge(finding('limits', 'Pod/b')).unused).toEqual(['kube probes']);
    expect(judgeFindings([], exceptions, new Set()).unused).toEqual([]);
  });
});

it('has a form that every written reason keeps to', () => {
  const exceptions = exceptionsSchema.parse(parse(readFileSync('deploy/scan-exceptions.yaml', 'utf8')));
  expect(exceptions.length).toBeGreaterThan(5);
  expect(() => exceptionsSchema.parse([{ reason: 'no', checks: ['kube limits'] }])).toThrow();
});
