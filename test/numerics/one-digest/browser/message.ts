/** JSON in which typed arrays are base64 with their type; works in Node.js and in browsers. */

const types = { Uint8Array, Float32Array };
type TypeName = keyof typeof types;

interface EncodedArray {
  readonly type: TypeName;
  readonly base64: string;
}

/** Encodes plain data with `Uint8Array` and `Float32Array`. In Node.js only. */
export function encode(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => (ArrayBuffer.isView(part) ? encodeArray(part) : part));
}

function encodeArray(view: ArrayBufferView): EncodedArray {
  const { name } = view.constructor;
  if (!(name in types)) throw new Error(`encode: expected ${Object.keys(types).join(' or ')}, got ${name}`);
  const base64 = Buffer.from(view.buffer, view.byteOffset, view.byteLength).toString('base64');
  return { type: name as TypeName, base64 };
}

export function decode(message: string): unknown {
  return JSON.parse(message, (_, part: unknown) => (isEncodedArray(part) ? decodeArray(part) : part));
}

function isEncodedArray(part: unknown): part is EncodedArray {
  return typeof part === 'object' && part !== null && 'base64' in part;
}

function decodeArray({ type, base64 }: EncodedArray): ArrayBufferView {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  return new types[type](bytes.buffer);
}
