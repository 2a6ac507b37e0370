// Draws 180 images of circles, squares and stripes into class folders: node examples/shapes.mjs [DIR]
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';

const directory = process.argv[2] ?? 'shapes';
const size = 64;
const perClass = 60;

const shapes = {
  circle: (x, y, r) => `<circle cx="${x}" cy="${y}" r="${r}"/>`,
  square: (x, y, r) => `<rect x="${x - r}" y="${y - r}" width="${2 * r}" height="${2 * r}"/>`,
  stripes: (x, y, r) =>
    [0, 1, 2].map((i) => `<rect x="0" y="${y - r + i * r}" width="${size}" height="${r / 2}"/>`).join(''),
};

for (const [name, draw] of Object.entries(shapes)) {
  mkdirSync(join(directory, name), { recursive: true });
  for (let i = 0; i < perClass; i++) {
    // Positions, sizes and colors that vary from image to image, and are the same on every machine.
    const [x, y, r, hue] = [20 + ((i * 7) % 25), 20 + ((i * 11) % 25), 10 + ((i * 5) % 9), (i * 47) % 360];
    const colors = [`hsl(${hue}, 70%, 45%)`, `hsl(${(hue + 150) % 360}, 40%, 85%)`];
    const svg =
      `<svg xmlns="http://www.w3.org/2000/svg" width="${size}" height="${size}">` +
      `<rect width="${size}" height="${size}" fill="${colors[1]}"/><g fill="${colors[0]}">${draw(x, y, r)}</g></svg>`;
    await sharp(Buffer.from(svg))
      .jpeg()
      .toFile(join(directory, name, `${i + 1}.jpg`));
  }
}
console.log(`${Object.keys(shapes).length} classes with ${perClass} images each in ${directory}/`);
