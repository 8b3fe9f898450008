// Numbers and text as SVG writes them.

/** @param {number} value a length, to a hundredth */
export function n(value) {
  return String(Math.round(value * 100) / 100);
}

/** @param {number} value an opacity, finer than a screen shows */
export function alpha(value) {
  return String(Math.round(value * 10000) / 10000);
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
