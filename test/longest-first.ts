import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that take a minute or more, the longest first; vitest would begin with the largest, in bytes. */
const longest = [
  'faults/worker-faults',
  'faults/coordinator-faults',
  'e2e/train',
  'e2e/control',
  'nats/lease',
  'kubernetes/operator',
  'kubernetes/end-to-end',
  'e2e/cluster',
  'e2e/resume',
  'nats/stream',
  'faults/random-plans',
  'kubernetes/plain',
  'engine/contract',
];

/** Begins with what takes longest, so that no long file is left alone at the end. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => {
      const index = longest.findIndex((name) => moduleId.endsWith(`/test/${name}.test.ts`));
      return index < 0 ? longest.length : index;
    };
    return (await super.sort(files)).toSorted((a, b) => place(a) - place(b));
  }
}
