/** What every image becomes. */
export interface ImageFormat {
  readonly height: number;
  readonly width: number;
  /** 1: grey, 3: red, green, blue. */
  readonly channels: 1 | 3;
  /** How an image of another shape gets there; see `imageFits`. */
  readonly fit: (typeof imageFits)[number];
}

/** cover: cut to the wanted shape around the middle; contain: with black borders; fill: stretched. */
export const imageFits = ['cover', 'contain', 'fill'] as const;

const defaultFormat: ImageFormat = { height: 32, width: 32, channels: 3, fit: 'cover' };

/** What the images of a folder become by the spec's `data`. */
export function imageFormatOf({ image }: { readonly image?: ImageFormat | undefined }): ImageFormat {
  return image ?? defaultFormat;
}
