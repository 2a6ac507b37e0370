import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { code, escape, table } from './markdown.js';

const root = join(import.meta.dirname, '..', '..');

/** Top-level declarations of a source file by name. */
export function declarationsOf(path: string): ReadonlyMap<string, ts.DeclarationStatement> {
  const named = parse(path).statements.filter((statement) => 'name' in statement) as ts.DeclarationStatement[];
  return new Map(named.map((statement) => [statement.name!.getText(), statement]));
}

/** Text of a declaration's comment; `@param` and the like on lines of their own. */
export function docOf(node: ts.Node): string {
  const parts = ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc);
  const text = parts.map(({ comment }) => ts.getTextOfJSDocComment(comment) ?? '');
  const throws = ts
    .getJSDocTags(node)
    .filter(({ tagName }) => tagName.text === 'throws')
    .map(({ comment }) => `Throws ${ts.getTextOfJSDocComment(comment)?.replace(/\.?$/, '.')}`);
  return [...text, ...throws].join(' ').replaceAll(/\s+/g, ' ').trim();
}

/** The public properties and methods of an interface or class, a row each. */
export function memberTable(node: ts.InterfaceDeclaration | ts.ClassDeclaration): string {
  const rows = (node.members as ts.NodeArray<ts.ClassElement | ts.TypeElement>).flatMap((member) => {
    if (ts.isConstructorDeclaration(member)) return member.parameters.filter(isField).map(memberRow);
    const isShown = member.name !== undefined && !ts.isComputedPropertyName(member.name) && !isOverride(member);
    return isShown ? [memberRow(member)] : [];
  });
  return table(['Name', 'Type', 'Meaning'], rows);
}

/** A declaration without its comment and its body. */
export function signatureOf(node: ts.Node): string {
  const body = (node as Partial<ts.FunctionLikeDeclaration>).body;
  const text = node.getSourceFile().text.slice(node.getStart(), body?.getStart() ?? node.end);
  return text.replace(/^export (async )?/, '').trim();
}

function isField(parameter: ts.ParameterDeclaration): boolean {
  return parameter.modifiers !== undefined;
}

function isOverride(member: ts.ClassElement | ts.TypeElement): boolean {
  return (
    ts.canHaveModifiers(member) && !!ts.getModifiers(member)?.some(({ kind }) => kind === ts.SyntaxKind.OverrideKeyword)
  );
}

function memberRow(member: ts.ClassElement | ts.TypeElement | ts.ParameterDeclaration): string[] {
  const optional = 'questionToken' in member && member.questionToken !== undefined ? '?' : '';
  const name = member.name!.getText();
  const type = (member as ts.PropertySignature).type?.getText() ?? '';
  const isMethod = ts.isMethodSignature(member) || ts.isMethodDeclaration(member);
  const shown = isMethod
    ? signatureOf(member)
        .replace(/^async /, '')
        .replace(/;$/, '')
    : `${name}${optional}`;
  return [code(shown), isMethod ? '' : code(type.replaceAll(/\s+/g, ' ')), escapeDoc(docOf(member))];
}

/** A comment's text; code spans stay as they are. */
export function escapeDoc(text: string): string {
  return text
    .split(/(`[^`]*`)/)
    .map((part) => (part.startsWith('`') ? part.replaceAll('|', '\\|') : escape(part)))
    .join('');
}

/** Comments of the properties of object literals in a file, by property name; the last one of a name counts. */
export function propertyDocs(path: string): ReadonlyMap<string, string> {
  const docs = new Map<string, string>();
  const visit = (node: ts.Node): void => {
    if (ts.isPropertyAssignment(node)) docs.set(node.name.getText(), docOf(node));
    ts.forEachChild(node, visit);
  };
  for (const statement of parse(path).statements) visit(statement);
  return docs;
}

function parse(path: string): ts.SourceFile {
  return ts.createSourceFile(path, readFileSync(join(root, path), 'utf8'), ts.ScriptTarget.Latest, true);
}
