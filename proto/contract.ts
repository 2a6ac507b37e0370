import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';

/** Folder of the .proto files. The build copies them, so they are next to this module in the source and in `dist`. */
export const protoFolder = fileURLToPath(new URL('.', import.meta.url));

/** Files of the contract, relative to `protoFolder`. */
export const protoFiles = ['cluster', 'control', 'data'].map((name) => `lockstep/v1/${name}.proto`);

let root: protobuf.Root | undefined;

/** Fields of a message of the contract, with names in camelCase as in the generated types. */
export function messageType(name: string): protobuf.Type {
  root ??= protobuf.loadSync(protoFiles.map((file) => `${protoFolder}${file}`)).resolveAll() as protobuf.Root;
  return root.lookupType(`lockstep.v1.${name}`);
}
