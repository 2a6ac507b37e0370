import { html, raw } from 'hono/html';

/** Escaped HTML from the `html` tag; never a promise here, because no interpolated value is one. */
export type Html = ReturnType<typeof html>;

/** A complete page. @param head - elements of its head in addition to title and viewport. */
export function htmlPage({ title, head, body }: { title: string; head?: Html; body: Html }): string {
  const page = html`<!doctype html>
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
    </html>`;
  return raw(page).toString();
}
