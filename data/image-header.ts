/** Header fields that determine the cost of decoding an image. */
export interface ImageHeader {
  readonly width: number;
  readonly height: number;
  /** Passes over the whole image. */
  readonly scans: number;
}

const pngSignature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const jpegSignature = Buffer.from([0xff, 0xd8, 0xff]);

/** True for the content of a PNG or JPEG. The decoder supports more formats, some of which can refer to other files. */
export function isImage(bytes: Uint8Array): boolean {
  return [pngSignature, jpegSignature].some((signature) => startsWith(bytes, signature));
}

/**
 * Reads the header of a PNG or JPEG without decoding it; undefined if it has none.
 *
 * The decoder doesn't limit the number of a JPEG's scans. A scan of 30 bytes costs a pass over the whole image.
 */
export function readHeader(bytes: Uint8Array): ImageHeader | undefined {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return startsWith(bytes, pngSignature) ? readPng(buffer) : readJpeg(buffer);
}

function startsWith(bytes: Uint8Array, signature: Uint8Array): boolean {
  return signature.every((byte, i) => bytes[i] === byte);
}

/** A PNG begins with IHDR: https://www.w3.org/TR/png-3/#11IHDR */
function readPng(png: Buffer): ImageHeader | undefined {
  if (png.length < 29 || png.toString('latin1', 12, 16) !== 'IHDR') return undefined;
  const interlace = png[28];
  return { width: png.readUInt32BE(16), height: png.readUInt32BE(20), scans: interlace === 0 ? 1 : 7 };
}

/** Markers without a length: https://www.w3.org/Graphics/JPEG/itu-t81.pdf, table B.1. */
const isBare = (marker: number) => marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8);
const isFrame = (marker: number) => marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
const endOfImage = 0xd9;
const startOfScan = 0xda;

/** Visits the markers. Elsewhere, as in a scan's data, 0xff is followed by 0. */
function readJpeg(jpeg: Buffer): ImageHeader | undefined {
  let size: { readonly width: number; readonly height: number } | undefined;
  let scans = 0;
  for (let at = jpeg.indexOf(0xff, 2); at >= 0 && at + 1 < jpeg.length; at = jpeg.indexOf(0xff, at)) {
    const marker = jpeg[at + 1]!;
    if (marker === endOfImage) break;
    // 0xff may be repeated before a marker.
    at += marker === 0xff ? 1 : 2;
    if (marker === 0 || marker === 0xff || isBare(marker)) continue;
    if (marker === startOfScan) scans++;
    if (isFrame(marker) && at + 7 <= jpeg.length) {
      size ??= { height: jpeg.readUInt16BE(at + 3), width: jpeg.readUInt16BE(at + 5) };
    }
    if (at + 2 > jpeg.length) break;
    at += jpeg.readUInt16BE(at);
  }
  return size && { ...size, scans };
}
