/** GPT-2's printable stand-ins for bytes: which byte each character of a ByteLevel vocabulary means. */
export const byteOfCharacter: ReadonlyMap<string, number> = makeTable();

function makeTable(): ReadonlyMap<string, number> {
  const isPrintable = (byte: number): boolean =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
  const table = new Map<string, number>();
  let substitutes = 0;
  for (let byte = 0; byte < 256; byte++) {
    table.set(String.fromCharCode(isPrintable(byte) ? byte : 256 + substitutes), byte);
    if (!isPrintable(byte)) substitutes++;
  }
  return table;
}
