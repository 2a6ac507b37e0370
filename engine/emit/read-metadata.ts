import { fromBinary } from '@bufbuild/protobuf';
import { ModelProtoSchema } from 'onnx-buf';
import { EngineError } from '../errors.js';

/**
 * What an ONNX file says of itself, by key.
 * @param name - the file, for messages.
 * @throws EngineError BAD_FILE
 */
export function readMetadata(file: Uint8Array, name: string): Readonly<Record<string, string>> {
  try {
    const { metadataProps } = fromBinary(ModelProtoSchema, file);
    return Object.fromEntries(metadataProps.map(({ key, value }) => [key, value]));
  } catch (cause) {
    const message = `read ONNX: expected an ONNX model, got ${(cause as Error).message}; ${name}; use another file`;
    throw new EngineError('BAD_FILE', message, { cause });
  }
}
