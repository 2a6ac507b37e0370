import { html } from 'hono/html';
import { htmlPage } from '../../../run/report/html-page.js';

/** Form that asks for the cluster's token. */
export function signInPage(problem?: string): string {
  return htmlPage({
    title: 'Lockstep: sign in',
    body: html`<main>
      <h1>Lockstep</h1>
      <p>Enter the token of this run’s cluster (the content of its --token-file).</p>
      ${problem === undefined ? undefined : html`<p role="alert">${problem}</p>`}
      <form method="post" action="/sign-in">
        <label for="token">Token</label>
        <input id="token" name="token" type="password" autocomplete="current-password" required autofocus />
        <button>Sign in</button>
      </form>
    </main>`,
  });
}
