/** Declared here because the package ships no types. */
declare module 'node-gyp-build' {
  /** Finds and loads the addon of the package in `directory`: its own build first, then its prebuilds. */
  function load(directory: string): unknown;
  export = load;
}
