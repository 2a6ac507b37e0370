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
    ['a: *b\n', 'spec: expected resolvable aliases, got ReferenceError'],
  ])('refuses %j with the reason', (text, reason) => {
    expect(() => parseSpecText(text, 'job.yaml')).toThrow(
      expect.objectContaining({ code: 'BAD_SPEC', message: expect.stringContaining(reason) as string }),
    );
  });
});

describe('parseSetting', () => {
  it.each([
    ['seed=3', ['seed'], 3],
    ['name=a=b', ['name'], 'a=b'],
    ['optimizer.nesterov=true', ['optimizer', 'nesterov'], true],
    ['optimizer={type: adam, beta1: .8}', ['optimizer'], { type: 'adam', beta1: 0.8 }],
    ['name="3"', ['name'], '3'],
    ['name=', ['name'], null],
  ])('reads %s', (text, path, value) => {
    expect(parseSetting(text)).toEqual({ path, value });
  });
});
