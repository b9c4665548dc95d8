// What a 64-bit library asks of the system that loads it, read from the file itself: it may be of another processor.

/** `e_machine`, named as Node.js names it. */
const machines = new Map([
  [62, 'x64'],
  [183, 'arm64'],
]);
const sectionTypes = { symbols: 2, dynamic: 6, versionNeeds: 0x6ffffffe };
const dynamicTags = { needed: 1, rpath: 15, runpath: 29 };

/**
 * @param {Buffer} file
 * @returns {{ arch: string, libraries: string[], versions: string[], searchPaths: string[], stripped: boolean }} `versions`
 *   are those of symbols, such as `GLIBC_2.17`.
 * @throws {RangeError} when it is cut off.
 */
export function readElf(file) {
  if (file.toString('latin1', 0, 4) !== '\x7fELF') throw new RangeError('not an ELF file');
  const [is64, isLittle] = [file[4] === 2, file[5] === 1];
  if (!is64 || !isLittle) throw new RangeError('not 64-bit and little-endian');
  const machine = file.readUInt16LE(18);
  const sections = sectionsOf(file);
  const found = { arch: machines.get(machine) ?? `machine ${machine}`, libraries: [], versions: [], searchPaths: [] };
  for (const section of sections) {
    const text = (offset) => stringAt(file, sections[section.link].offset + offset);
    if (section.type === sectionTypes.dynamic) readDynamic(file, section, text, found);
    if (section.type === sectionTypes.versionNeeds) readVersions(file, section, text, found);
  }
  return { ...found, stripped: !sections.some(({ type }) => type === sectionTypes.symbols) };
}

function sectionsOf(file) {
  const table = Number(file.readBigUInt64LE(40));
  const [size, count] = [file.readUInt16LE(58), file.readUInt16LE(60)];
  return Array.from({ length: count }, (_, index) => {
    const at = table + index * size;
    return {
      type: file.readUInt32LE(at + 4),
      offset: Number(file.readBigUInt64LE(at + 24)),
      size: Number(file.readBigUInt64LE(at + 32)),
      link: file.readUInt32LE(at + 40),
      entries: file.readUInt32LE(at + 44),
    };
  });
}

function readDynamic(file, { offset, size }, text, { libraries, searchPaths }) {
  for (let at = offset; at < offset + size; at += 16) {
    const tag = Number(file.readBigInt64LE(at));
    const value = () => text(Number(file.readBigUInt64LE(at + 8)));
    if (tag === dynamicTags.needed) libraries.push(value());
    if (tag === dynamicTags.rpath || tag === dynamicTags.runpath) searchPaths.push(value());
  }
}

/** A record for each library, and after it one for each version of it; offsets are from the record that has them. */
function readVersions(file, { offset, entries }, text, { versions }) {
  for (let library = offset, left = entries; left > 0; left--, library += file.readUInt32LE(library + 12)) {
    let version = library + file.readUInt32LE(library + 8);
    for (let more = file.readUInt16LE(library + 2); more > 0; more--, version += file.readUInt32LE(version + 12)) {
      versions.push(text(file.readUInt32LE(version + 8)));
    }
  }
}

function stringAt(file, offset) {
  const end = file.indexOf(0, offset);
  if (end < 0) throw new RangeError('a name without an end');
  return file.toString('latin1', offset, end);
}
