import { newId, Places, type Terminal } from './terminal.js';

/** Digits that a number is written with at most: so many survive being read as a double. */
export const mostDigits = 15;

/** Numbers are compared as integers of this many decimals, exactly. */
const decimals = 15;
const one = 10n ** BigInt(decimals);

/** What a number may be, at {@link one} to a unit; both ends included. */
export interface NumberRange {
  readonly isInteger: boolean;
  readonly lowest: bigint;
  readonly highest: bigint;
}

/** Limits of a number as a schema has them. */
export interface NumberLimits {
  readonly minimum?: number | undefined;
  readonly exclusiveMinimum?: number | undefined;
  readonly maximum?: number | undefined;
  readonly exclusiveMaximum?: number | undefined;
}

export function rangeOf(isInteger: boolean, limits: NumberLimits): NumberRange {
  const { minimum = -Infinity, exclusiveMinimum = -Infinity, maximum = Infinity, exclusiveMaximum = Infinity } = limits;
  const farthest = 10n ** BigInt(mostDigits) * one;
  const within = (value: number, of: (value: number) => bigint, otherwise: bigint): bigint =>
    Number.isFinite(value) ? of(value) : otherwise;
  const lowest = [
    within(minimum, (value) => -floor(-value), -farthest),
    within(exclusiveMinimum, (value) => floor(value) + 1n, -farthest),
  ];
  const highest = [
    within(maximum, floor, farthest),
    within(exclusiveMaximum, (value) => -floor(-value) - 1n, farthest),
  ];
  return { isInteger, lowest: larger(lowest), highest: -larger(highest.map((value) => -value)) };
}

/** The numbers of JSON in a range, without exponents. Any beginning that is read can be completed. */
export class Numerals {
  readonly #range: NumberRange;
  readonly #places: Places<NumberPlace>;

  constructor(range: NumberRange) {
    this.#range = range;
    this.#places = new Places((text) => new NumberPlace(this, range, text));
  }

  /** Undefined when there is no such number. */
  get start(): Terminal | undefined {
    return isPossible(this.#range, '') ? this.at('') : undefined;
  }

  at(text: string): Terminal {
    return this.#places.at(text);
  }
}

class NumberPlace implements Terminal {
  readonly id = newId();
  readonly canEnd: boolean;
  readonly #numerals: Numerals;
  readonly #range: NumberRange;
  readonly #text: string;
  /** What is left to write, once it was asked for. */
  #rest: string | undefined;

  constructor(numerals: Numerals, range: NumberRange, text: string) {
    this.#numerals = numerals;
    this.#range = range;
    this.#text = text;
    this.canEnd = /\d$/u.test(text) && isWithin(range, valueOf(text));
  }

  get shortest(): number {
    return this.#shortestRest().length;
  }

  get shortestByte(): number | undefined {
    const rest = this.#shortestRest();
    return rest === '' ? undefined : rest.charCodeAt(0);
  }

  step(byte: number): Terminal | undefined {
    const longer = this.#text + String.fromCharCode(byte);
    return isPossible(this.#range, longer) ? this.#numerals.at(longer) : undefined;
  }

  #shortestRest(): string {
    return (this.#rest ??= this.canEnd ? '' : shortestRest(this.#range, this.#text));
  }
}

/** How a beginning may go on: so many digits before the point, and after it, and what numbers that gives. */
interface Shape {
  readonly from: bigint;
  readonly to: bigint;
  /** Between one number and the next. */
  readonly step: bigint;
  readonly fractionDigits: number;
}

const syntax = /^(-?)(0|[1-9]\d*)?(\.\d*)?$/u;

/** Whether a text is the beginning of a number in the range. */
function isPossible(range: NumberRange, text: string): boolean {
  for (const magnitudes of signsOf(range, text)) {
    for (const shape of shapesOf(magnitudes, false)) if (firstOf(magnitudes, shape) !== undefined) return true;
  }
  return false;
}

/** The shortest text that completes a beginning that is possible. */
function shortestRest(range: NumberRange, text: string): string {
  let best: string | undefined;
  for (const magnitudes of signsOf(range, text)) {
    for (const shape of shapesOf(magnitudes, true)) {
      const value = firstOf(magnitudes, shape);
      if (value === undefined) continue;
      const written = `${magnitudes.sign}${textOf(value, shape.fractionDigits)}`;
      if (best === undefined || written.length < best.length) best = written;
    }
  }
  return (best ?? text).slice(text.length);
}

/** A beginning with its sign, and the range of what follows. */
interface Magnitudes {
  readonly sign: string;
  readonly isInteger: boolean;
  readonly lowest: bigint;
  readonly highest: bigint;
  readonly digits: string;
  /** With its point. */
  readonly fraction: string | undefined;
}

/** Before anything is written both signs are possible. */
function* signsOf(range: NumberRange, text: string): Generator<Magnitudes> {
  const parts = syntax.exec(text);
  if (parts === null) return;
  const [, sign = '', digits = '', fraction] = parts;
  if (fraction !== undefined && (digits === '' || range.isInteger)) return;
  const rest = { isInteger: range.isInteger, digits, fraction };
  if (sign === '') yield { sign: '', ...rest, lowest: range.lowest, highest: range.highest };
  if (sign === '-' || text === '') yield { sign: '-', ...rest, lowest: -range.highest, highest: -range.lowest };
}

/** @param all - also those whose numbers another one has, too, with more digits. */
function* shapesOf({ isInteger, digits, fraction }: Magnitudes, all: boolean): Generator<Shape> {
  const written = fraction === undefined ? 0 : fraction.length - 1;
  const free = mostDigits - digits.length - written;
  if (free < 0) return;
  const most = fraction !== undefined || digits === '0' ? 0 : free;
  for (let more = digits === '' ? 1 : 0; more <= most; more++) {
    const longest = isInteger ? 0 : written + free - more;
    const shortest = fraction === undefined ? 0 : Math.max(1, written);
    for (let count = all ? shortest : longest; count <= longest; count++) {
      if (count < shortest) continue;
      yield shapeOf(digits, more, fraction, count);
    }
  }
}

function shapeOf(digits: string, more: number, fraction: string | undefined, fractionDigits: number): Shape {
  const power = 10n ** BigInt(more);
  const first = digits === '' ? (more === 1 ? 0n : power / 10n) : BigInt(digits) * power;
  const last = digits === '' ? power - 1n : first + power - 1n;
  const step = one / 10n ** BigInt(fractionDigits);
  if (fraction === undefined) return { from: first * one, to: last * one + one - step, step, fractionDigits };
  const written = one / 10n ** BigInt(fraction.length - 1);
  const from = first * one + BigInt(`0${fraction.slice(1)}`) * written;
  return { from, to: from + written - step, step, fractionDigits };
}

/** The number of a shape nearest to zero that is within the range. */
function firstOf({ lowest, highest }: Magnitudes, { from, to, step }: Shape): bigint | undefined {
  const value = lowest <= from ? from : from + ((lowest - from + step - 1n) / step) * step;
  return value <= to && value <= highest ? value : undefined;
}

function isWithin({ lowest, highest }: NumberRange, value: bigint): boolean {
  return value >= lowest && value <= highest;
}

/** Of a complete number. */
function valueOf(text: string): bigint {
  const [integer = '', fraction = ''] = text.replace('-', '').split('.');
  const magnitude = BigInt(integer) * one + BigInt(fraction.padEnd(decimals, '0'));
  return text.startsWith('-') ? -magnitude : magnitude;
}

function textOf(magnitude: bigint, fractionDigits: number): string {
  const integer = String(magnitude / one);
  if (fractionDigits === 0) return integer;
  return `${integer}.${String(magnitude % one)
    .padStart(decimals, '0')
    .slice(0, fractionDigits)}`;
}

/** The largest multiple of {@link one}'s fraction that is not above a number, exactly. */
function floor(value: number): bigint {
  const [mantissa = '0', exponent = '0'] = value.toExponential().split('e');
  const [integer = '', fraction = ''] = mantissa.split('.');
  const digits = BigInt(integer + fraction);
  const power = Number(exponent) - fraction.length + decimals;
  if (power >= 0) return digits * 10n ** BigInt(power);
  const divisor = 10n ** BigInt(-power);
  const quotient = digits / divisor;
  return digits < 0n && quotient * divisor !== digits ? quotient - 1n : quotient;
}

function larger(values: readonly bigint[]): bigint {
  return values.reduce((most, value) => (value > most ? value : most));
}
