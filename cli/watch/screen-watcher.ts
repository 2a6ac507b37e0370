import type { HistoryReply, StatusReply } from '../../proto/messages.js';
import { emphasis, Screen } from './screen.js';
import { renderWatch } from './view.js';
import type { Watcher } from './watch.js';

/** Full-screen view, redrawn for every status and change of size. */
export function screenWatcher(): Watcher {
  const mark = emphasis(process.env['NO_COLOR'] === undefined);
  let screen: Screen | undefined;
  let [status, history, away]: [StatusReply?, HistoryReply?, string?] = [];
  const draw = () => screen?.draw(renderWatch({ status, history, away }, screen.size, mark));
  return {
    begin: (leave) => {
      screen = new Screen(process.stdout, process.stdin.isTTY ? process.stdin : undefined);
      screen.listen(draw, leave);
      draw();
    },
    status: (next) => {
      [status, away] = [next, undefined];
      draw();
    },
    history: (next) => {
      history = next;
      draw();
    },
    away: (reason) => {
      away = reason;
      draw();
    },
    end: () => screen?.close(),
  };
}
