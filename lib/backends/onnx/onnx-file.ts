import { closeSync, fstatSync, openSync } from 'node:fs';
import { eachField, FileCursor } from './file-cursor.js';

/** What a model file tells without ONNX Runtime. */
export interface OnnxFile {
  /** Kinds of its nodes, such as `GroupQueryAttention`. */
  readonly operators: ReadonlySet<string>;
  /** Files that hold its weights, relative to its directory, with the bytes that each must have at least. */
  readonly externalFiles: ReadonlyMap<string, number>;
}

/** Numbers of the fields, from onnx.proto. */
const modelGraph = 7;
const graphNode = 1;
const graphInitializer = 5;
const nodeOperator = 4;
const tensorExternalData = 13;
const entryKey = 1;
const entryValue = 2;

/** @returns undefined when it is no ONNX file or not all of one: ONNX Runtime knows better why. */
export function readOnnxFile(file: string): OnnxFile | undefined {
  const descriptor = openSync(file, 'r');
  try {
    const operators = new Set<string>();
    const externalFiles = new Map<string, number>();
    const cursor = new FileCursor(descriptor);
    eachField(cursor, fstatSync(descriptor).size, (field, length) => {
      if (field === modelGraph) readGraph(cursor, cursor.position + length, operators, externalFiles);
    });
    return { operators, externalFiles };
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  } finally {
    closeSync(descriptor);
  }
}

function readGraph(cursor: FileCursor, end: number, operators: Set<string>, externalFiles: Map<string, number>): void {
  eachField(cursor, end, (field, length) => {
    const fieldEnd = cursor.position + length;
    if (field === graphNode) {
      eachField(cursor, fieldEnd, (inner, innerLength) => {
        if (inner === nodeOperator) operators.add(cursor.text(innerLength));
      });
    } else if (field === graphInitializer) {
      const place = readExternalPlace(cursor, fieldEnd);
      const location = place.get('location');
      if (location === undefined) return;
      const needed = Number(place.get('offset') ?? 0) + Number(place.get('length') ?? 0);
      externalFiles.set(location, Math.max(externalFiles.get(location) ?? 0, needed));
    }
  });
}

/** `location`, `offset` and `length` of a tensor that is in another file; empty for one that is not. */
function readExternalPlace(cursor: FileCursor, end: number): ReadonlyMap<string, string> {
  const place = new Map<string, string>();
  eachField(cursor, end, (field, length) => {
    if (field !== tensorExternalData) return;
    let key = '';
    let value = '';
    eachField(cursor, cursor.position + length, (inner, innerLength) => {
      if (inner === entryKey) key = cursor.text(innerLength);
      else if (inner === entryValue) value = cursor.text(innerLength);
    });
    place.set(key, value);
  });
  return place;
}
