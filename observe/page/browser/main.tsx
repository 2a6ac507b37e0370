import { render } from 'preact';
import { App } from './app.js';
import { Connection, type Snapshot } from './connection.js';

const host = document.getElementById('app')!;
let next: Snapshot | undefined;

/** Draws the newest snapshot with the browser's next picture; those that come in between are skipped. */
function draw(snapshot: Snapshot): void {
  if (next === undefined) {
    requestAnimationFrame(() => {
      const { link, state } = next!;
      next = undefined;
      render(<App link={link} state={state} />, host);
    });
  }
  next = snapshot;
}

host.replaceChildren();
new Connection(draw).start();
