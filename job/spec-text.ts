import { createRequire } from 'node:module';
import type * as Yaml from 'yaml';
import { JobError } from './errors.js';
import type { SpecPath } from './spec-problems.js';
import { checkSpecText, listFirst } from './spec-limits.js';

/** Loads the parser on first use; many runs have neither file nor settings. */
const loadYaml = () => createRequire(import.meta.url)('yaml') as typeof Yaml;

/** A spec read from a file, not validated yet. */
export interface SpecFile {
  readonly value: unknown;
  /** `file:line` of the value at `path`, or of the innermost section around it that exists. */
  readonly locate: (path: SpecPath) => string;
  /** Keys of the file whose values are used elsewhere through an alias, such as `defaults: &d` by `<<: *d`. */
  readonly shared?: readonly string[];
}

/**
 * Reads a spec file: YAML 1.2, which includes JSON, with the merge keys (`<<`) of YAML 1.1.
 * @param text - checked against the limits of `checkSpecText`.
 * @param fileName - for messages only.
 * @throws JobError BAD_SPEC with the lines of the syntax errors.
 */
export function parseSpecText(text: string, fileName: string): SpecFile {
  checkSpecText(text, fileName);
  const { isNode, LineCounter, parseAllDocuments } = loadYaml();
  const lines = new LineCounter();
  // The library's check for repeated keys takes quadratic time.
  const options = { lineCounter: lines, prettyErrors: false, merge: true, uniqueKeys: false };
  const parsed = parseAllDocuments(text, options);
  const documents = 'empty' in parsed ? [] : parsed;
  const at = (offset: number) => `${fileName}:${lines.linePos(offset).line}`;
  const errors = documents.flatMap((document) => [
    ...document.errors.map(({ pos, message }) => ({ offset: pos[0], message })),
    ...repeatedKeys(document),
  ]);
  if (errors.length > 0) {
    const problems = listFirst(errors, ({ offset, message }) => `  ${at(offset)}: ${message}`);
    throw new JobError('BAD_SPEC', `spec file: expected YAML or JSON\n${problems.join('\n')}`);
  }
  const [document, second] = documents;
  if (second) {
    const found = `got ${documents.length}, the second at ${at(second.range[0])}`;
    throw new JobError('BAD_SPEC', `spec file: expected one document, ${found}; put each job into its own file`);
  }
  const locate = (path: SpecPath): string => {
    for (let length = path.length; document && length >= 0; length--) {
      const node: unknown = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
      if (isNode(node) && node.range) return at(node.range[0]);
    }
    return fileName;
  };
  if (!document) return { value: null, locate };
  return { value: toValue(document, fileName), locate, shared: sharedKeys(document) };
}

function repeatedKeys({ contents }: Yaml.Document): { readonly offset: number; readonly message: string }[] {
  const { isScalar, visit } = loadYaml();
  const found: { offset: number; message: string }[] = [];
  visit(contents, {
    Map: (_, map) => {
      const seen = new Set<unknown>();
      for (const { key } of map.items) {
        if (!isScalar(key) || key.value === '<<') continue;
        if (seen.has(key.value)) found.push({ offset: key.range?.[0] ?? 0, message: 'Map keys must be unique' });
        seen.add(key.value);
      }
    },
  });
  return found;
}

function sharedKeys({ contents }: Yaml.Document): string[] {
  const { isAlias, isMap, isNode, isScalar, visit } = loadYaml();
  const used = new Set<string>();
  visit(contents, (_, node) => void (isAlias(node) && used.add(node.source)));
  const pairs = isMap(contents) ? contents.items : [];
  return pairs.flatMap(({ key, value }) => {
    const anchor = isNode(value) && !isAlias(value) ? (value as { anchor?: string }).anchor : undefined;
    return anchor !== undefined && used.has(anchor) && isScalar(key) ? [String(key.value)] : [];
  });
}

/** One `--set`. */
export interface Setting {
  readonly path: readonly string[];
  readonly value: unknown;
  /** The text after `=`, if the value is one word or number without quotes. */
  readonly plain?: string;
}

/**
 * Parses `path=value` of the command line. The value is YAML: a number, true, false, a word, `{a: 1}` or `[1, 2]`.
 * @throws JobError BAD_SPEC, also if YAML would discard some of the value as a comment.
 */
export function parseSetting(text: string): Setting {
  const equals = text.indexOf('=');
  if (equals < 1) {
    throw new JobError(
      'BAD_SPEC',
      `set: expected PATH=VALUE, got ${JSON.stringify(text)}; example: optimizer.learningRate=0.01`,
    );
  }
  const { isScalar, parseDocument } = loadYaml();
  const [path, source] = [text.slice(0, equals).split('.'), text.slice(equals + 1)];
  const document = parseDocument(source, { prettyErrors: false, merge: true });
  const { contents } = document;
  const problem = document.errors[0]?.message ?? (hasComment(document) ? "a comment begins at ' #'" : undefined);
  if (problem !== undefined) {
    const found = `got ${JSON.stringify(text)}; ${problem}`;
    const remedy = `quote text with special characters: ${path.join('.')}='"…"'`;
    throw new JobError('BAD_SPEC', `set: expected a YAML value, ${found}; ${remedy}`);
  }
  const value = toValue(document, `set ${text}`);
  const isPlain = contents === null || (isScalar(contents) && contents.type === 'PLAIN');
  return { path, value, ...(isPlain && { plain: source.trim() }) };
}

function hasComment({ comment, commentBefore, contents }: Yaml.Document): boolean {
  return [comment, commentBefore, contents?.comment, contents?.commentBefore].some((text) => typeof text === 'string');
}

/** Values that the aliases of one anchor may expand to; the YAML library rejects more. */
const maxExpanded = 100;
/** Aliases of a spec. The library's time is quadratic in their number. */
const maxAliases = 1000;

/** @throws Error */
function checkAliases({ contents }: Yaml.Document): void {
  let count = 0;
  loadYaml().visit(contents, { Alias: () => void count++ });
  if (count > maxAliases) throw new Error(`${count} aliases; the limit is ${maxAliases}`);
}

/** Resolves aliases. The library rejects undefined ones and unbounded expansion. @throws JobError BAD_SPEC */
function toValue(document: Yaml.Document, where: string): unknown {
  try {
    checkAliases(document);
    return document.toJS({ maxAliasCount: maxExpanded });
  } catch (cause) {
    const found = cause instanceof Error ? cause.message : String(cause);
    throw new JobError('BAD_SPEC', `spec: expected aliases and merge keys that resolve, got: ${found}; in ${where}`, {
      cause,
    });
  }
}
