// Writes the generated pages of docs/reference: npm run reference
import { writeFileSync } from 'node:fs';
import { pages, render } from './pages.js';

for (const name of Object.keys(pages)) {
  const { file, text } = await render(name);
  writeFileSync(file, text);
}
