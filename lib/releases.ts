/** Whether it is one, and not the `unknown` of a model that a 1.1.x toolkit has made. */
export function isRelease(text: string): boolean {
  return /^v?\d+\.\d+\.\d+(?:b\d+)?$/u.test(text);
}

/** Negative: `a` is older than `b`. `1.2.1b1` comes before `1.2.1`, missing parts are zeros. */
export function compareReleases(a: string, b: string): number {
  const [left, right] = [partsOf(a), partsOf(b)];
  const index = left.findIndex((part, at) => part !== right[at]);
  return index < 0 ? 0 : (left[index] ?? 0) - (right[index] ?? 0);
}

function partsOf(release: string): readonly number[] {
  const [, major, minor, patch, preview] = /^v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:b(\d+))?/u.exec(release) ?? [];
  return [
    ...[major, minor, patch].map((part) => Number(part ?? 0)),
    preview === undefined ? Infinity : Number(preview),
  ];
}
