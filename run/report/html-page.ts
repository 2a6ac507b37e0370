import { html, raw } from 'hono/html';

/** Escaped HTML, as the `html` tag makes it; never a promise here, as no value is one. */
export type Html = ReturnType<typeof html>;

/** A whole page. @param head - elements of its head besides title and view. */
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
