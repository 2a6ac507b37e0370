import { createRequire } from 'node:module';
import type * as Yaml from 'yaml';
import { JobError } from './errors.js';
import type { SpecPath } from './spec-problems.js';

/** Loaded only where there is YAML to read: the first run has neither file nor settings. */
const loadYaml = () => createRequire(import.meta.url)('yaml') as typeof Yaml;

/** A spec as read from a file, not validated yet. */
export interface SpecFile {
  readonly value: unknown;
  /** `file:line` of the value at `path`, or of the nearest section around it that the file has. */
  readonly locate: (path: SpecPath) => string;
}

/**
 * Reads a spec file: YAML 1.2, of which JSON is a part.
 * @param fileName - for messages only.
 * @throws JobError BAD_SPEC with the lines of all syntax errors.
 */
export function parseSpecText(text: string, fileName: string): SpecFile {
  const { isNode, LineCounter, parseDocument } = loadYaml();
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number) => `${fileName}:${lines.linePos(offset).line}`;
  if (document.errors.length > 0) {
    const problems = document.errors.map((error) => `  ${at(error.pos[0])}: ${error.message}`);
    throw new JobError('BAD_SPEC', `spec file: expected YAML or JSON\n${problems.join('\n')}`);
  }
  const locate = (path: SpecPath): string => {
    for (let length = path.length; length >= 0; length--) {
      const node: unknown = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
      if (isNode(node) && node.range) return at(node.range[0]);
    }
    return fileName;
  };
  return { value: toValue(() => document.toJS(), fileName), locate };
}

/** A value as it stands after `=` on the command line: a number, true, false, a word, or `{a: 1}` and `[1, 2]`. */
export function parseSetting(text: string): { readonly path: readonly string[]; readonly value: unknown } {
  const equals = text.indexOf('=');
  if (equals < 1) {
    throw new JobError(
      'BAD_SPEC',
      `set: expected PATH=VALUE, got ${JSON.stringify(text)}; write for example optimizer.learningRate=0.01`,
    );
  }
  const document = loadYaml().parseDocument(text.slice(equals + 1), { prettyErrors: false });
  const problem = document.errors[0];
  if (problem)
    throw new JobError('BAD_SPEC', `set: expected a YAML value, got ${JSON.stringify(text)}; ${problem.message}`);
  return { path: text.slice(0, equals).split('.'), value: toValue(() => document.toJS(), `set ${text}`) };
}

/** Aliases are resolved only here, and may be undefined or grow without bound, which the library refuses. */
function toValue(convert: () => unknown, where: string): unknown {
  try {
    return convert();
  } catch (cause) {
    throw new JobError('BAD_SPEC', `spec: expected resolvable aliases, got ${String(cause)}; in ${where}`, { cause });
  }
}
