import { ProtobufWriter } from './protobuf-writer.js';

/** Values of `TensorProto.DataType`. */
export const dataTypes = { float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7, bool: 9, float16: 10 } as const;
export type DataType = keyof typeof dataTypes;

/** An attribute of a node. ONNX tells integers and floats apart, JavaScript does not: floats are wrapped. */
export type Attribute =
  | number
  | string
  | { readonly float: number }
  | { readonly integers: readonly number[] }
  | { readonly tensor: Tensor }
  | { readonly graph: OnnxGraph };

/** A constant. */
export interface Tensor {
  readonly type: DataType;
  readonly dims: readonly number[];
  readonly data: ArrayBufferView;
}

/** A file and its bytes. */
export type ExternalFiles = ReadonlyMap<string, Uint8Array>;

/** Takes the bytes of the external files as they come, for models that are larger than memory should be. */
export type ExternalSink = (file: string, bytes: Uint8Array) => void;

/** Initializers smaller than this stay in the model file. */
const minimumExternalBytes = 1024;
/** Alignment of each initializer in the external file, so that it can be mapped into memory. */
const externalAlignment = 4096;

/** An ONNX graph under construction; {@link OnnxGraph.finish} makes the file. */
export class OnnxGraph {
  readonly #nodes: ProtobufWriter[] = [];
  readonly #initializers: ProtobufWriter[] = [];
  readonly #inputs: ProtobufWriter[] = [];
  readonly #outputs: ProtobufWriter[] = [];
  readonly #external: readonly ExternalFile[];
  readonly #sink: ExternalSink | undefined;
  #externalCount = 0;

  /**
   * @param externalFiles - names of the files that take the large initializers in turn; none: all in one file.
   * @param sink - takes what goes into them; without it {@link finish} gives them as a whole.
   */
  constructor(externalFiles: readonly string[] = [], sink?: ExternalSink) {
    this.#external = externalFiles.map((name) => ({ name, parts: [], length: 0 }));
    this.#sink = sink;
  }

  /**
   * Adds a node.
   *
   * @returns the name of its first output, to be used as an input of the next node.
   */
  node(
    operator: string,
    inputs: readonly string[],
    outputs: readonly [string, ...string[]],
    attributes: Readonly<Record<string, Attribute>> = {},
    domain = '',
  ): string {
    const node = new ProtobufWriter();
    for (const input of inputs) node.string(1, input);
    for (const output of outputs) node.string(2, output);
    node.string(3, `${operator}_${this.#nodes.length}`).string(4, operator);
    for (const [name, value] of Object.entries(attributes)) node.message(5, attribute(name, value));
    if (domain !== '') node.string(7, domain);
    this.#nodes.push(node);
    return outputs[0];
  }

  /** Adds a constant tensor and returns its name. */
  initializer(name: string, type: DataType, dims: readonly number[], data: ArrayBufferView): string {
    const bytes = bytesOf(data);
    const external = this.#external[this.#externalCount % this.#external.length];
    const tensor = describeTensor(type, dims).string(8, name);
    if (external !== undefined && bytes.length >= minimumExternalBytes) {
      this.#externalCount++;
      const place = { location: external.name, offset: external.length, length: bytes.length };
      for (const [key, value] of Object.entries(place)) {
        tensor.message(13, new ProtobufWriter().string(1, key).string(2, String(value)));
      }
      tensor.integer(14, 1);
      this.#append(external, bytes);
    } else {
      tensor.bytes(9, bytes);
    }
    this.#initializers.push(tensor);
    return name;
  }

  #append(file: ExternalFile, bytes: Uint8Array): void {
    const padding = Buffer.alloc((externalAlignment - (bytes.length % externalAlignment)) % externalAlignment);
    file.length += bytes.length + padding.length;
    if (this.#sink === undefined) {
      file.parts.push(bytes, padding);
    } else {
      this.#sink(file.name, bytes);
      this.#sink(file.name, padding);
    }
  }

  /** Declares a graph input; a string in `dims` is a symbolic dimension. */
  input(name: string, type: DataType, dims: readonly (number | string)[]): string {
    this.#inputs.push(valueInfo(name, type, dims));
    return name;
  }

  /** Declares a graph output; a string in `dims` is a symbolic dimension. */
  output(name: string, type: DataType, dims: readonly (number | string)[]): void {
    this.#outputs.push(valueInfo(name, type, dims));
  }

  /** The graph as a message: all of a model's, or a branch of `If`. */
  message(name: string): ProtobufWriter {
    const graph = new ProtobufWriter();
    for (const node of this.#nodes) graph.message(1, node);
    graph.string(2, name);
    for (const initializer of this.#initializers) graph.message(5, initializer);
    for (const input of this.#inputs) graph.message(11, input);
    for (const output of this.#outputs) graph.message(12, output);
    return graph;
  }

  /** The model file, and the external files when there are any; empty, where a sink took what belongs into them. */
  finish(producer: string, opset = 21): { readonly model: Uint8Array; readonly external: ExternalFiles } {
    const model = new ProtobufWriter().integer(1, 10).string(2, producer).message(7, this.message('main_graph'));
    model.message(8, new ProtobufWriter().string(1, '').integer(2, opset));
    model.message(8, new ProtobufWriter().string(1, 'com.microsoft').integer(2, 1));
    return {
      model: model.finish(),
      external: new Map(this.#external.map(({ name, parts }) => [name, Buffer.concat(parts)])),
    };
  }
}

interface ExternalFile {
  readonly name: string;
  readonly parts: Uint8Array[];
  length: number;
}

function bytesOf(data: ArrayBufferView): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

function describeTensor(type: DataType, dims: readonly number[]): ProtobufWriter {
  const tensor = new ProtobufWriter();
  for (const dim of dims) tensor.integer(1, dim);
  return tensor.integer(2, dataTypes[type]);
}

function attribute(name: string, value: Attribute): ProtobufWriter {
  const writer = new ProtobufWriter().string(1, name);
  if (typeof value === 'number') return writer.integer(3, value).integer(20, 2);
  if (typeof value === 'string') return writer.string(4, value).integer(20, 3);
  if ('float' in value) return writer.float(2, value.float).integer(20, 1);
  if ('integers' in value) {
    for (const integer of value.integers) writer.integer(8, integer);
    return writer.integer(20, 7);
  }
  if ('graph' in value) return writer.message(6, value.graph.message(name)).integer(20, 5);
  const { type, dims, data } = value.tensor;
  return writer.message(5, describeTensor(type, dims).bytes(9, bytesOf(data))).integer(20, 4);
}

function valueInfo(name: string, type: DataType, dims: readonly (number | string)[]): ProtobufWriter {
  const shape = new ProtobufWriter();
  for (const dim of dims) {
    const writer = new ProtobufWriter();
    shape.message(1, typeof dim === 'number' ? writer.integer(1, dim) : writer.string(2, dim));
  }
  const tensor = new ProtobufWriter().integer(1, dataTypes[type]).message(2, shape);
  return new ProtobufWriter().string(1, name).message(2, new ProtobufWriter().message(1, tensor));
}
