import { html } from '../../report/html.js';

/** Asks for the cluster's token. */
export function signInPage(problem?: string): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>Lockstep: sign in</title>
      </head>
      <body>
        <main>
          <h1>Lockstep</h1>
          <p>This page shows a run to those who have the token of its cluster (the content of its --token-file).</p>
          ${problem === undefined ? undefined : html`<p role="alert">${problem}</p>`}
          <form method="post" action="/sign-in">
            <label for="token">Token</label>
            <input id="token" name="token" type="password" autocomplete="current-password" required autofocus />
            <button>Sign in</button>
          </form>
        </main>
      </body>
    </html>`.text;
}
