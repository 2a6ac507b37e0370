import { create, toBinary } from '@bufbuild/protobuf';
import * as onnx from 'onnx-buf';

/** Used element types of ONNX tensors. */
export const elementType = {
  float32: onnx.TensorProto_DataType.FLOAT,
  int32: onnx.TensorProto_DataType.INT32,
  int64: onnx.TensorProto_DataType.INT64,
  uint8: onnx.TensorProto_DataType.UINT8,
  bool: onnx.TensorProto_DataType.BOOL,
};
export type ElementType = keyof typeof elementType;
type TensorData = Float32Array | Int32Array | BigInt64Array | Uint8Array;

/** Attribute value. A number is an integer attribute; a float attribute is `{ float: x }`. */
type Attribute = string | number | readonly number[] | { readonly float: number };
export type Attributes = Readonly<Record<string, Attribute | undefined>>;
/** A size, or the name of a variable dimension. */
export type Dimension = number | string;

/** Opset of the operators, and its format version. */
const opset = 17n;
const irVersion = 8n;

/** Builds an ONNX model operator by operator. Tensors are referred to by name. */
export class OnnxWriter {
  private readonly nodes: onnx.NodeProto[] = [];
  private readonly initializers: onnx.TensorProto[] = [];
  private readonly inputs: onnx.ValueInfoProto[] = [];
  private readonly outputs: onnx.ValueInfoProto[] = [];
  private readonly constants = new Map<string, string>();
  private names = 0;

  input(name: string, type: ElementType, shape: readonly Dimension[]): void {
    this.inputs.push(valueInfo(name, type, shape));
  }

  /** Declares an existing tensor as an output of the model. */
  output(name: string, type: ElementType, shape: readonly Dimension[]): void {
    this.outputs.push(valueInfo(name, type, shape));
  }

  /** Appends an operator with one result, named `name`. An input `''` is omitted. */
  op(opType: string, inputs: readonly string[], attributes: Attributes = {}, name = this.newName()): string {
    this.append(opType, inputs, attributes, [name]);
    return name;
  }

  /** Appends an operator and returns its second result; the first isn't needed. */
  secondOf(opType: string, inputs: readonly string[], attributes: Attributes): string {
    const name = this.newName();
    this.append(opType, inputs, attributes, [this.newName(), name]);
    return name;
  }

  /** Adds a constant tensor; equal small ones are shared. */
  constant(data: TensorData, shape: readonly number[]): string {
    if (data.length > 64) return this.initializer(this.newName(), data, shape);
    const key = `${typeOf(data)}|${shape.join()}|${Array.from<number | bigint, string>(data, (x) => (Object.is(x, -0) ? '-0' : String(x))).join()}`;
    const name = this.constants.get(key) ?? this.initializer(this.newName(), data, shape);
    this.constants.set(key, name);
    return name;
  }

  /** Adds a constant tensor with a given name, such as a trained weight. */
  initializer(name: string, data: TensorData, shape: readonly number[]): string {
    const rawData = new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
    const tensor = { name, dataType: elementType[typeOf(data)], dims: shape.map(BigInt), rawData };
    this.initializers.push(create(onnx.TensorProtoSchema, tensor));
    return name;
  }

  /** Adds a vector of int64, such as a shape or axes. */
  ints(values: readonly number[]): string {
    return this.constant(BigInt64Array.from(values, BigInt), [values.length]);
  }

  float(value: number): string {
    return this.constant(Float32Array.of(value), []);
  }

  /** Serialises the model. */
  build(metadata: Readonly<Record<string, string>> = {}): Uint8Array {
    const graph = create(onnx.GraphProtoSchema, {
      name: 'lockstep',
      node: this.nodes,
      initializer: this.initializers,
      input: this.inputs,
      output: this.outputs,
    });
    const metadataProps = Object.entries(metadata).map(([key, value]) =>
      create(onnx.StringStringEntryProtoSchema, { key, value }),
    );
    const opsetImport = [create(onnx.OperatorSetIdProtoSchema, { domain: '', version: opset })];
    const model = { irVersion, producerName: 'lockstep', opsetImport, graph, metadataProps };
    return toBinary(onnx.ModelProtoSchema, create(onnx.ModelProtoSchema, model));
  }

  private append(opType: string, inputs: readonly string[], attributes: Attributes, outputs: string[]): void {
    const attribute = Object.entries(attributes).flatMap(([key, value]) =>
      value === undefined ? [] : [attributeProto(key, value)],
    );
    const name = `${opType}_${this.nodes.length}`;
    const node = { domain: '', opType, name, input: [...inputs], output: outputs, attribute };
    this.nodes.push(create(onnx.NodeProtoSchema, node));
  }

  private newName(): string {
    return `t${this.names++}`;
  }
}

function typeOf(data: TensorData): ElementType {
  if (data instanceof Float32Array) return 'float32';
  if (data instanceof Int32Array) return 'int32';
  return data instanceof BigInt64Array ? 'int64' : 'uint8';
}

function attributeProto(name: string, value: Attribute): onnx.AttributeProto {
  const type = onnx.AttributeProto_AttributeType;
  const make = (fields: object) => create(onnx.AttributeProtoSchema, { name, ...fields });
  if (typeof value === 'string') return make({ type: type.STRING, s: new TextEncoder().encode(value) });
  if (typeof value === 'number') return make({ type: type.INT, i: BigInt(value) });
  if ('float' in value) return make({ type: type.FLOAT, f: value.float });
  return make({ type: type.INTS, ints: value.map(BigInt) });
}

function valueInfo(name: string, type: ElementType, shape: readonly Dimension[]): onnx.ValueInfoProto {
  const dim = shape.map((d) =>
    create(onnx.TensorShapeProto_DimensionSchema, {
      value: typeof d === 'string' ? { case: 'dimParam', value: d } : { case: 'dimValue', value: BigInt(d) },
    }),
  );
  const tensor = create(onnx.TypeProto_TensorSchema, {
    elemType: elementType[type],
    shape: create(onnx.TensorShapeProtoSchema, { dim }),
  });
  const value = { case: 'tensorType', value: tensor } as const;
  return create(onnx.ValueInfoProtoSchema, { name, type: create(onnx.TypeProtoSchema, { value }) });
}
