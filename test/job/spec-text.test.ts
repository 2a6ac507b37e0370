import { describe, expect, it } from 'vitest';
import { parseSetting, parseSpecText } from '../../job/spec-text.js';

describe('parseSpecText', () => {
  it('reads the same spec from YAML and from JSON', () => {
    const yaml = parseSpecText('name: x\noptimizer:\n  type: adam\n  epsilon: 1e-7\n', 'job.yaml');
    const json = parseSpecText('{"name": "x", "optimizer": {"type": "adam", "epsilon": 1e-7}}', 'job.json');
    expect(yaml.value).toEqual({ name: 'x', optimizer: { type: 'adam', epsilon: 1e-7 } });
    expect(json.value).toEqual(yaml.value);
  });

  it('knows the line of a value, or of the section where it would be', () => {
    const { locate } = parseSpecText('name: x\noptimizer:\n  type: adam\n  epsilon: 1\n', 'job.yaml');
    expect(locate(['optimizer', 'epsilon'])).toBe('job.yaml:4');
    expect(locate(['optimizer', 'beta1'])).toBe('job.yaml:3');
    expect(locate(['epochs'])).toBe('job.yaml:1');
    expect(parseSpecText('', 'job.yaml').locate(['epochs'])).toBe('job.yaml');
  });

  it.each([
    ['name: x\nname: y\n', '  job.yaml:2: Map keys must be unique'],
    ['{"name": "x",\n "epochs": 3\n', '  job.yaml:3: '],
    ['a: *b\n', 'spec: expected aliases and merge keys that resolve, got: Unresolved alias'],
    ['name: a\n---\nname: b\n', 'spec file: expected one document, got 2, the second at job.yaml:2'],
    ['a: 1\n<<: 5\n', 'spec: expected aliases and merge keys that resolve, got: Merge sources must be maps'],
    [bomb(), 'spec: expected aliases and merge keys that resolve, got: Excessive alias count'],
  ])('refuses %j with the reason', (text, reason) => {
    expect(() => parseSpecText(text, 'job.yaml')).toThrow(
      expect.objectContaining({ code: 'BAD_SPEC', message: expect.stringContaining(reason) as string }),
    );
  });
});

/** Each line contains the previous one nine times. */
function bomb(): string {
  const lines = Array.from({ length: 9 }, (_, i) => `l${i + 1}: &l${i + 1} [${Array(9).fill(`*l${i}`).join(', ')}]`);
  return ['l0: &l0 [x]', ...lines].join('\n');
}

describe('merge keys', () => {
  const merged = (text: string) => parseSpecText(text, 'job.yaml').value;

  it('are merged, what is written next to them wins', () => {
    expect(merged('base: &b { epochs: 3, seed: 1 }\njob:\n  <<: *b\n  seed: 2\n')).toEqual({
      base: { epochs: 3, seed: 1 },
      job: { epochs: 3, seed: 2 },
    });
  });

  it('take several sections, the first one first', () => {
    const text = 'a: &a { x: 1 }\nb: &b { x: 2, y: 3 }\nc: { <<: [*a, *b] }\n';
    expect(merged(text)).toMatchObject({ c: { x: 1, y: 3 } });
  });
});

describe('parseSetting', () => {
  it.each([
    ['seed=3', ['seed'], 3, '3'],
    ['name=a=b', ['name'], 'a=b', 'a=b'],
    ['optimizer.nesterov=true', ['optimizer', 'nesterov'], true, 'true'],
    ['optimizer={type: adam, beta1: .8}', ['optimizer'], { type: 'adam', beta1: 0.8 }],
    ['name="3"', ['name'], '3'],
    ['name=', ['name'], null, ''],
  ])('reads %s', (text, path, value, plain?: string) => {
    expect(parseSetting(text)).toEqual({ path, value, ...(plain !== undefined && { plain }) });
  });

  it.each(['data.path=my photos #1', 'data.path= #1', 'data={limit: 5} # all'])('refuses the comment in %s', (text) => {
    expect(() => parseSetting(text)).toThrow(
      `set: expected a YAML value, got ${JSON.stringify(text)}; a comment begins at ' #'; quote text with special ` +
        `characters: ${text.slice(0, text.indexOf('='))}='"…"'`,
    );
  });
});
