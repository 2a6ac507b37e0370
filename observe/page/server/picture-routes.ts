import { Hono } from 'hono';
import { z } from 'zod';
import type { PictureList } from '../../../coordinator/state/feed.js';
import { choosePictures, drawSprite } from '../pictures.js';
import { answerBadInput, index } from './input.js';
import type { Site } from './site.js';

/** Maximum number of pictures in one response, and in one sprite. */
const maxPictures = 60;

/**
 * `/api/images`: test images with their predictions at the newest evaluation; `?actual=A&predicted=P` for a cell of the
 * matrix, else the misclassified ones. `/api/pictures?images=I,I,…`: these test images in one row, as PNG.
 */
export function pictureRoutes({ view }: Site): Hono {
  const { manifest, history, test } = view;
  const classIndex = index(manifest.dataset.classes.length - 1);
  const cell = z.strictObject({ actual: classIndex, predicted: classIndex });
  const kind = cell.or(z.strictObject({}).transform(() => 'mistakes' as const));
  const images = z.strictObject({
    images: z
      .string()
      .max(8 * maxPictures)
      .transform((list) => list.split(','))
      .pipe(
        z
          .array(index(test.count - 1))
          .min(1)
          .max(maxPictures),
      ),
  });
  const routes = new Hono();
  routes.get('/api/images', (context) => {
    const query = kind.safeParse(context.req.query());
    if (!query.success) return answerBadInput(context, 'query', query.error);
    const { predictions, evaluation } = history;
    if (!predictions || !evaluation) return context.json({ error: 'expected an evaluation, got none so far' }, 404);
    const found = choosePictures(predictions, test.labels, query.data);
    const pictures = found.slice(0, maxPictures);
    context.header('Cache-Control', 'no-store');
    return context.json({ step: evaluation.step, total: found.length, pictures } satisfies PictureList);
  });
  routes.get('/api/pictures', (context) => {
    const query = images.safeParse(context.req.query());
    if (!query.success) return answerBadInput(context, 'query', query.error);
    const png = drawSprite(test, manifest.dataset.imageShape, query.data.images);
    return context.body(new Uint8Array(png), 200, { 'Content-Type': 'image/png', 'Cache-Control': 'no-store' });
  });
  return routes;
}
