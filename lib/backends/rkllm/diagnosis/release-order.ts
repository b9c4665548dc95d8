/**
 * The order of two releases of the vendor, such as `1.2.1b1` and `1.2.1` (a beta comes first): negative, 0 or positive.
 * Undefined when one of them is none, such as the `unknown` of a model that a 1.1.x toolkit made.
 */
export function compareReleases(one: string, other: string): number | undefined {
  const [left, right] = [parts(one), parts(other)];
  if (left === undefined || right === undefined) return undefined;
  const index = left.findIndex((part, at) => part !== right[at]);
  return index < 0 ? 0 : (left[index] ?? 0) - (right[index] ?? 0);
}

/** A release without a beta's number comes after all of its betas. */
function parts(release: string): readonly number[] | undefined {
  const match = /^v?(\d+)\.(\d+)\.(\d+)(?:b(\d+))?$/u.exec(release);
  return match?.slice(1).map((part: string | undefined) => (part === undefined ? Infinity : Number(part)));
}
