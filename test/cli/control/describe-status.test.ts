import { describe, expect, it } from 'vitest';
import { describeStatus } from '../../../cli/control/describe-status.js';
import { messageType } from '../../../proto/contract.js';
import type { StatusReply } from '../../../proto/messages.js';
import { statusReply } from '../../observe/sample-run.js';

/** Fields that the terminal doesn't show: `lockstep status --json`, the page or the metrics do. */
const notShown: readonly string[] = ['generation', 'term', 'waitingFor', 'fingerprint', 'device'];

/** A value that differs from every default. */
const other = { string: 'another', bool: true, double: 43.21, uint32: 4321, uint64: 4321 };
const shown = { ...statusReply, synthetic: false, testEpoch: 1, digestEpoch: 1 } satisfies StatusReply;

describe('the status in the terminal', () => {
  const fields = messageType('StatusReply').fieldsArray.filter(({ name }) => !notShown.includes(name));

  it.each(fields.map(({ name }) => name))('shows %s', (name) => {
    const { type, repeated } = messageType('StatusReply').fields[name]!;
    const value = repeated ? [] : other[type as keyof typeof other];
    expect(describeStatus({ ...shown, [name]: value })).not.toBe(describeStatus(shown));
  });
});
