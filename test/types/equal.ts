// Two types are the same when the compiler takes functions that mention them for the same.
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Compiles only when the value's type is exactly `Expected`. */
export const is =
  <Expected>() =>
  <Actual>(value: Actual, equal: Equal<Expected, Actual>): unknown[] => [value, equal];
