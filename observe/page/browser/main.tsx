import { render } from 'preact';
import { App } from './app.js';
import { Connection, type Snapshot } from './connection.js';

const host = document.getElementById('app')!;
let next: Snapshot | undefined;

/** Draws the newest snapshot in the next animation frame; earlier ones are skipped. */
function draw(snapshot: Snapshot): void {
  if (next === undefined) {
    requestAnimationFrame(() => {
      const { connection, state } = next!;
      next = undefined;
      render(<App connection={connection} state={state} />, host);
    });
  }
  next = snapshot;
}

host.replaceChildren();
new Connection(draw).start();
