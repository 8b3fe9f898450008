// Numbers and text as SVG writes them.

/** @param {number} value a length, to a hundredth */
export function n(value) {
  return String(Math.round(value * 100) / 100);
}

/** @param {number} value an opacity, finer than a screen shows */
export function alpha(value) {
  return String(Math.round(value * 10000) / 10000);
}

/** Where an id stands until the file is whole: no text of a file can hold it. */
export const ID = "\u0000";

/**
 * The same letters for the same file, others for others.
 * @param {string} text
 */
export function fingerprint(text) {
  let [a, b] = [0x811c9dc5, 0x9e3779b9];
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    a = Math.imul(a ^ code, 0x01000193);
    b = Math.imul(b ^ code, 0x5bd1e995) ^ (b >>> 15);
  }
  const letters = Array.from(`${a >>> 0}${b >>> 0}`, (digit) => "abcdefghij"[Number(digit)]);
  return `bertviz-${letters.join("")}`;
}

// What XML cannot hold: control characters, halves of characters, and two code points that are
// no characters.
const UNWRITABLE =
  // eslint-disable-next-line no-control-regex -- they are what is looked for
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** @param {string} text */
export function escaped(text) {
  return text
    .replace(UNWRITABLE, "\ufffd")
    .replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c] ?? c);
}
