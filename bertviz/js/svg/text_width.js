// How wide a text is, when there is no browser to measure it.

// Advance widths of Helvetica Bold, in thousandths, from space to tilde (Adobe's font metrics).
const WIDTHS = (
  "278 333 474 556 556 889 722 238 333 333 389 584 278 333 278 278 556 556 556 556 556 556 556 556 " +
  "556 556 333 333 584 584 584 611 975 722 722 722 722 667 611 778 722 278 556 722 611 833 722 778 " +
  "667 778 722 667 611 722 667 944 667 667 611 333 278 333 584 556 333 556 611 556 611 556 333 611 " +
  "611 278 278 556 278 889 611 611 611 611 389 556 333 611 556 778 556 556 500 389 280 389 584"
)
  .split(" ")
  .map(Number);
const ROOMY = 1.08; // the reader's font may be a little wider

/**
 * About how wide a text is, the same everywhere: exported pictures do not depend on fonts.
 * @param {string} text
 * @param {number} [size]
 */
export function estimatedWidth(text, size = 13.5) {
  let width = 0;
  for (const character of text) {
    const code = /** @type {number} */ (character.codePointAt(0));
    if (code >= 32 && code < 127) width += WIDTHS[code - 32];
    else if (/\p{M}|\p{Cf}/u.test(character)) continue;
    else width += code >= 0x1100 && !/[\u2000-\u2bff]/u.test(character) ? 1000 : 640;
  }
  return (width / 1000) * size * ROOMY;
}

/**
 * A text in lines, broken between words; a word that is wider than a line has one of its own.
 * @param {string} text
 * @param {number} most width of a line
 * @param {number} size
 * @returns {string[]}
 */
export function inLines(text, most, size) {
  /** @type {string[]} */
  const lines = [];
  for (const given of text.split("\n")) {
    let line = "";
    for (const word of given.split(" ")) {
      const longer = line ? `${line} ${word}` : word;
      if (line && estimatedWidth(longer, size) > most) {
        lines.push(line);
        line = word;
      } else line = longer;
    }
    lines.push(line);
  }
  return lines;
}

/**
 * @param {string} text
 * @param {number} most
 * @param {number} size
 */
export function shortened(text, most, size) {
  if (estimatedWidth(text, size) <= most) return text;
  const letters = Array.from(text);
  let count = letters.length;
  while (count > 1 && estimatedWidth(letters.slice(0, count).join("") + "…", size) > most) {
    // Ten thousand characters are far too many: the first step is a big one.
    count = Math.min(count - 1, Math.ceil(most));
  }
  return letters.slice(0, count).join("") + "…";
}
