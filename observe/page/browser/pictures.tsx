import { useEffect, useState } from 'preact/hooks';
import { formatPlural } from '../../../run/report/format.js';
import type { PictureEntry, PictureList } from '../../../coordinator/state/feed.js';

export interface PicturesProps {
  readonly title: string;
  /** Query string of `/api/images`. */
  readonly query: string;
  readonly classes: readonly string[];
  readonly imageShape: readonly [number, number, number];
  /** Step of the newest evaluation; the pictures are fetched again when it changes. */
  readonly step: number;
  /** True for pictures of several cells; each then shows its actual and predicted class. */
  readonly isMixed?: boolean;
}

/** Width of a picture on the page, in CSS pixels. */
const shownWidth = 64;

/** Maximum number of pictures shown, of one cell and of several. */
const [most, mostMixed] = [60, 36];

type Loaded = { readonly list: PictureList; readonly sprite: string } | 'loading' | 'failed';

/** Test images of a cell, or misclassified ones, the most confident predictions first. */
export function Pictures({ title, query, classes, imageShape, step, isMixed = false }: PicturesProps) {
  const [loaded, setLoaded] = useState<Loaded>('loading');
  useEffect(() => {
    const abort = new AbortController();
    load(query, isMixed ? mostMixed : most, abort.signal).then(setLoaded, () => {
      if (!abort.signal.aborted) setLoaded('failed');
    });
    return () => abort.abort();
  }, [query, step, isMixed]);
  return (
    <div class={isMixed ? 'pictures mixed' : 'pictures'}>
      <h3 aria-live="polite">
        {title}
        {typeof loaded === 'object' && `: ${formatPlural(loaded.list.total, 'image')}`}
      </h3>
      {loaded === 'loading' && <p class="note">Loading …</p>}
      {loaded === 'failed' && <p class="note">Pictures unavailable: the coordinator isn’t responding.</p>}
      {typeof loaded === 'object' && loaded.list.pictures.length > 0 && (
        <>
          <p class="note">{describeOrder(loaded.list)}</p>
          <ul>
            {loaded.list.pictures.map((picture, place) => (
              <li key={picture.index}>
                <Picture {...{ picture, place, classes, imageShape, isMixed, sprite: loaded.sprite }} />
              </li>
            ))}
          </ul>
        </>
      )}
    </div>
  );
}

async function load(query: string, limit: number, signal: AbortSignal): Promise<Loaded> {
  const response = await fetch(`/api/images${query}`, { signal });
  if (!response.ok) throw new Error(`expected pictures, got status ${response.status}`);
  const { pictures, ...rest } = (await response.json()) as PictureList;
  const list = { ...rest, pictures: pictures.slice(0, limit) };
  return { list, sprite: `/api/pictures?images=${list.pictures.map(({ index }) => index).join(',')}` };
}

function describeOrder({ total, pictures }: PictureList): string {
  const some = total > pictures.length ? `The ${pictures.length} most confident` : 'All images';
  return `${some}, with predicted probability.`;
}

interface PictureProps extends Pick<PicturesProps, 'classes' | 'imageShape'> {
  readonly picture: PictureEntry;
  /** Index in the sprite, from the left. */
  readonly place: number;
  readonly sprite: string;
  readonly isMixed: boolean;
}

function Picture({ picture, place, sprite, classes, imageShape, isMixed }: PictureProps) {
  const { index, actual, predicted, confidence } = picture;
  const [height, width] = imageShape;
  const shownHeight = Math.round((shownWidth * height) / width);
  const [is, taken] = [classes[actual], classes[predicted]];
  const percent = `${(100 * confidence).toFixed(confidence > 0.9995 ? 0 : 1)} %`;
  const style = {
    backgroundImage: `url(${sprite})`,
    backgroundPosition: `-${place * shownWidth}px 0`,
    backgroundSize: `auto ${shownHeight}px`,
    width: `${shownWidth}px`,
    height: `${shownHeight}px`,
  };
  return (
    <figure title={`test image ${index}`}>
      <span class="picture" role="img" aria-label={`Test image ${index}: ${is}, taken for ${taken}`} style={style} />
      <figcaption>
        {isMixed && (
          <>
            <b>{is}</b>
            <br />→ {taken}
            <br />
          </>
        )}
        {percent}
      </figcaption>
    </figure>
  );
}
