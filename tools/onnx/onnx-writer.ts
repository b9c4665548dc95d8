import { ProtobufWriter } from './protobuf-writer.js';

/** Values of `TensorProto.DataType`. */
export const dataTypes = { float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7, float16: 10 } as const;
export type DataType = keyof typeof dataTypes;

/** An attribute of a node. ONNX tells integers and floats apart, JavaScript does not: floats are wrapped. */
export type Attribute = number | string | { readonly float: number };

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
  readonly #external: Uint8Array[] = [];
  readonly #externalFile: string | undefined;
  #externalLength = 0;

  /** @param externalFile - name of the file that takes the large initializers; undefined: all in one file. */
  constructor(externalFile?: string) {
    this.#externalFile = externalFile;
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
    const tensor = new ProtobufWriter();
    for (const dim of dims) tensor.integer(1, dim);
    tensor.integer(2, dataTypes[type]).string(8, name);
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    if (this.#externalFile !== undefined && bytes.length >= minimumExternalBytes) {
      const place = { location: this.#externalFile, offset: this.#externalLength, length: bytes.length };
      for (const [key, value] of Object.entries(place)) {
        tensor.message(13, new ProtobufWriter().string(1, key).string(2, String(value)));
      }
      tensor.integer(14, 1);
      this.#appendExternal(bytes);
    } else {
      tensor.bytes(9, bytes);
    }
    this.#initializers.push(tensor);
    return name;
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

  /** The model file, and the bytes of the external file when there is one. */
  finish(producer: string): { readonly model: Uint8Array; readonly external: Uint8Array | undefined } {
    const graph = new ProtobufWriter();
    for (const node of this.#nodes) graph.message(1, node);
    graph.string(2, 'main_graph');
    for (const initializer of this.#initializers) graph.message(5, initializer);
    for (const input of this.#inputs) graph.message(11, input);
    for (const output of this.#outputs) graph.message(12, output);
    const model = new ProtobufWriter().integer(1, 10).string(2, producer).message(7, graph);
    model.message(8, new ProtobufWriter().string(1, '').integer(2, 21));
    model.message(8, new ProtobufWriter().string(1, 'com.microsoft').integer(2, 1));
    return {
      model: model.finish(),
      external: this.#externalFile === undefined ? undefined : Buffer.concat(this.#external),
    };
  }

  #appendExternal(bytes: Uint8Array): void {
    const padding = (externalAlignment - (bytes.length % externalAlignment)) % externalAlignment;
    this.#external.push(bytes, Buffer.alloc(padding));
    this.#externalLength += bytes.length + padding;
  }
}

function attribute(name: string, value: Attribute): ProtobufWriter {
  const writer = new ProtobufWriter().string(1, name);
  if (typeof value === 'number') return writer.integer(3, value).integer(20, 2);
  if (typeof value === 'string') return writer.string(4, value).integer(20, 3);
  return writer.float(2, value.float).integer(20, 1);
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
