/** HTML that is safe to put into a page as it stands. */
export class Html {
  constructor(readonly text: string) {}
}

/** What a template may hold; everything but `Html` is escaped, undefined is left out. */
export type HtmlValue = string | number | Html | undefined | readonly HtmlValue[];

/** Template tag: the literal parts are HTML, the values are escaped unless they are `Html` themselves. */
export function html(parts: TemplateStringsArray, ...values: HtmlValue[]): Html {
  return new Html(parts.reduce((text, part, i) => text + toHtml(values[i - 1]) + part));
}

/** Declares text to be HTML already: style sheets of ours, SVG from the chart library. Never anything from a spec. */
export function trusted(text: string): Html {
  return new Html(text);
}

/** A whole page. @param head - what its head holds besides title and view. */
export function htmlPage({ title, head, body }: Readonly<Record<'title' | 'head' | 'body', HtmlValue>>): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title}</title>
        ${head}
      </head>
      <body>
        ${body}
      </body>
    </html>`.text;
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function toHtml(value: HtmlValue): string {
  if (value === undefined) return '';
  if (value instanceof Html) return value.text;
  if (typeof value === 'object') return value.map(toHtml).join('');
  return String(value).replace(/[&<>"']/g, (character) => entities[character] ?? character);
}
