/** Target size and channels of the images of a folder. */
export interface ImageFormat {
  readonly height: number;
  readonly width: number;
  /** 1: grey; 3: red, green, blue. */
  readonly channels: 1 | 3;
  readonly fit: (typeof imageFits)[number];
}

/** Fitting of images with another aspect ratio. cover: crop around the center; contain: black borders; fill: stretch. */
export const imageFits = ['cover', 'contain', 'fill'] as const;

const defaultFormat: ImageFormat = { height: 32, width: 32, channels: 3, fit: 'cover' };

/** Image format of a spec's `data`. */
export function imageFormatOf({ image }: { readonly image?: ImageFormat | undefined }): ImageFormat {
  return image ?? defaultFormat;
}
