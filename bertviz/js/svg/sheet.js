// A picture as SVG, by the same painters that draw on a canvas. A sheet is filled from the top: text
// stays text, lines and boxes stay shapes, and what is painted pixel by pixel becomes an image
// underneath. Nothing here needs a document, so pictures are made without a browser too, and the
// same state gives the same file.

/** @typedef {import("../theme/theme.js").Theme} Theme */
/** @typedef {import("../controls/stage.js").Geometry} Geometry */
/**
 * @typedef {object} TextOptions
 * @property {number} x
 * @property {number} y of the baseline
 * @property {number} [size]
 * @property {boolean} [strong]
 * @property {"start" | "middle" | "end"} [anchor]
 * @property {string} [color]
 * @property {number} [opacity]
 * @property {number} [most] what is wider is cut off with an ellipsis
 * @property {boolean} [halo] for text on colours
 * @property {boolean} [upright] turned by a quarter, read from below
 */

const FONT = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif";
const RATIO = 2; // pixels of an image per unit
const TILE = 4096; // units; a taller image is several
const MARGIN = 16;

export class Sheet {
  /** @type {(string | Promise<string>)[]} */
  #parts = [];
  #gradients = 0;

  /**
   * @param {Theme} theme
   * @param {number} width of what is drawn, without the margin
   * @param {string} title
   */
  constructor(theme, width, title) {
    this.theme = theme;
    this.width = width;
    this.title = title;
    /** Where the next thing begins. */
    this.y = 0;
  }

  /**
   * @param {string} text
   * @param {TextOptions} options
   */
  text(text, { x, y, size = 11, strong, anchor, color = this.theme.ink, opacity, most, halo, upright }) {
    if (!text) return;
    const shown = most === undefined ? text : shortened(text, most, size);
    const attributes = [
      upright ? `transform="translate(${n(x)} ${n(y)}) rotate(-90)"` : `x="${n(x)}" y="${n(y)}"`,
      `font-size="${n(size)}"`,
      strong ? 'font-weight="600"' : "",
      anchor && anchor !== "start" ? `text-anchor="${anchor}"` : "",
      `fill="${color}"`,
      opacity === undefined ? "" : `fill-opacity="${alpha(opacity)}"`,
      halo
        ? `stroke="${this.theme.ground}" stroke-width="2.5" stroke-opacity="0.7" stroke-linejoin="round" paint-order="stroke"`
        : "",
    ];
    this.#parts.push(`<text ${attributes.filter(Boolean).join(" ")}>${escaped(shown)}</text>`);
  }

  /**
   * @param {number} x
   * @param {number} y
   * @param {number} width
   * @param {number} height
   * @param {{fill?: string, stroke?: string, radius?: number, opacity?: number}} [style]
   */
  rect(x, y, width, height, { fill = "none", stroke, radius, opacity } = {}) {
    this.#parts.push(
      `<rect x="${n(x)}" y="${n(y)}" width="${n(width)}" height="${n(height)}" fill="${fill}"` +
        (stroke ? ` stroke="${stroke}"` : "") +
        (radius ? ` rx="${n(radius)}"` : "") +
        (opacity === undefined ? "" : ` opacity="${alpha(opacity)}"`) +
        "/>",
    );
  }

  /**
   * A bar of colours.
   * @param {number} x
   * @param {number} y
   * @param {number} width
   * @param {number} height
   * @param {string[]} colors
   */
  ramp(x, y, width, height, colors) {
    const id = `ramp${this.#gradients++}`;
    const stops = colors.map((color, i) => {
      const clear = color === "transparent";
      const at = n(i / Math.max(1, colors.length - 1));
      return `<stop offset="${at}" stop-color="${clear ? colors[colors.length - 1] : color}"${clear ? ' stop-opacity="0"' : ""}/>`;
    });
    this.#parts.push(`<linearGradient id="${id}">${stops.join("")}</linearGradient>`);
    this.rect(x, y, width, height, { fill: `url(#${id})`, stroke: this.theme.hairline, radius: 2 });
  }

  /**
   * What a painter paints, in a place of the sheet.
   * @param {number} x
   * @param {number} y
   * @param {(context: CanvasRenderingContext2D) => void} paint
   */
  painting(x, y, paint) {
    const context = new SvgContext();
    paint(/** @type {CanvasRenderingContext2D} */ (/** @type {unknown} */ (context)));
    this.#parts.push(`<g transform="translate(${n(x)} ${n(y)})">`, ...context.finish(), "</g>");
  }

  /**
   * Rows of a stage, all of them: as a painter knows it, in pieces that are not too tall for an
   * image.
   * @param {number} x
   * @param {number} y
   * @param {{width: number, rows: number, row: number}} size
   * @param {(context: CanvasRenderingContext2D, geometry: Geometry) => void} paint
   * @param {boolean} [pixels] whether it paints pixel by pixel
   */
  rows(x, y, { width, rows, row }, paint, pixels = false) {
    const total = rows * row;
    const tile = pixels ? TILE : total;
    for (let top = 0; top < total; top += tile) {
      const geometry = { width, top, height: Math.min(tile, total - top), row };
      this.painting(x, y + (pixels ? top : 0), (context) => paint(context, geometry));
    }
  }

  /**
   * What is drawn meanwhile stands so far to the right.
   * @param {number} x
   * @param {() => void} draw
   */
  aside(x, draw) {
    this.#parts.push(`<g transform="translate(${n(x)} 0)">`);
    draw();
    this.#parts.push("</g>");
  }

  /** @returns {Promise<string>} */
  async svg() {
    const parts = await Promise.all(this.#parts);
    const [width, height] = [this.width + 2 * MARGIN, this.y + 2 * MARGIN];
    return [
      `<svg xmlns="http://www.w3.org/2000/svg" width="${n(width)}" height="${n(height)}" viewBox="${-MARGIN} ${-MARGIN} ${n(width)} ${n(height)}" font-family="${FONT}" role="img">`,
      `<title>${escaped(this.title)}</title>`,
      `<style>text { white-space: pre; unicode-bidi: plaintext; font-variant-numeric: tabular-nums }</style>`,
      `<rect x="${-MARGIN}" y="${-MARGIN}" width="${n(width)}" height="${n(height)}" fill="${this.theme.ground}"/>`,
      ...parts,
      "</svg>",
      "",
    ].join("\n");
  }
}

/**
 * As much of a canvas's context as the painters use; what they draw becomes elements. Shapes of one
 * colour and width that follow each other share a group.
 */
class SvgContext {
  globalAlpha = 1;
  fillStyle = "#000000";
  strokeStyle = "#000000";
  lineWidth = 1;
  lineCap = "butt";
  lineJoin = "miter";
  /** @type {(string | Promise<string>)[]} */
  #parts = [];
  #group = "";
  /** @type {string[]} */
  #path = [];

  /** @param {string} attributes */
  #style(attributes) {
    if (attributes === this.#group) return;
    if (this.#group) this.#parts.push("</g>");
    if (attributes) this.#parts.push(`<g ${attributes}>`);
    this.#group = attributes;
  }

  /** @returns {(string | Promise<string>)[]} */
  finish() {
    this.#style("");
    return this.#parts;
  }

  beginPath() {
    this.#path = [];
  }

  /** @param {number} x @param {number} y */
  moveTo(x, y) {
    this.#path.push(`M${n(x)} ${n(y)}`);
  }

  /** @param {number} x @param {number} y */
  lineTo(x, y) {
    this.#path.push(`L${n(x)} ${n(y)}`);
  }

  /**
   * @param {number} x
   * @param {number} y
   * @param {number} width
   * @param {number} height
   * @param {number} r
   */
  roundRect(x, y, width, height, r) {
    const arc = (/** @type {number} */ dx, /** @type {number} */ dy) => `a${n(r)} ${n(r)} 0 0 1 ${n(dx)} ${n(dy)}`;
    this.#path.push(
      `M${n(x + r)} ${n(y)}h${n(width - 2 * r)}${arc(r, r)}v${n(height - 2 * r)}${arc(-r, r)}` +
        `h${n(2 * r - width)}${arc(-r, -r)}v${n(2 * r - height)}${arc(r, -r)}z`,
    );
  }

  stroke() {
    const join = this.lineJoin === "miter" ? "" : ` stroke-linejoin="${this.lineJoin}"`;
    this.#style(`fill="none" stroke="${this.strokeStyle}" stroke-width="${n(this.lineWidth)}"${join}`);
    this.#parts.push(`<path d="${this.#path.join("")}"${opacityOf("stroke", this.globalAlpha)}/>`);
  }

  fill() {
    this.#style(`fill="${this.fillStyle}"`);
    this.#parts.push(`<path d="${this.#path.join("")}"${opacityOf("fill", this.globalAlpha)}/>`);
  }

  /**
   * @param {number} x
   * @param {number} y
   * @param {number} width
   * @param {number} height
   */
  fillRect(x, y, width, height) {
    this.#style(`fill="${this.fillStyle}"`);
    this.#parts.push(
      `<rect x="${n(x)}" y="${n(y)}" width="${n(width)}" height="${n(height)}"${opacityOf("fill", this.globalAlpha)}/>`,
    );
  }

  getTransform() {
    return { a: RATIO };
  }

  /** @param {number} width @param {number} height */
  createImageData(width, height) {
    return { width, height, data: new Uint8ClampedArray(4 * width * height) };
  }

  /**
   * @param {{width: number, height: number, data: Uint8ClampedArray}} image
   * @param {number} x in pixels
   * @param {number} y
   */
  putImageData({ width, height, data }, x, y) {
    this.#style("");
    this.#parts.push(
      png(width, height, data).then(
        (bytes) =>
          `<image x="${n(x / RATIO)}" y="${n(y / RATIO)}" width="${n(width / RATIO)}" height="${n(height / RATIO)}" href="data:image/png;base64,${base64(bytes)}"/>`,
      ),
    );
  }
}

/** @param {number} value a length, to a hundredth */
function n(value) {
  return String(Math.round(value * 100) / 100);
}

/** @param {number} value an opacity, finer than a screen shows */
function alpha(value) {
  return String(Math.round(value * 10000) / 10000);
}

/** @param {"fill" | "stroke"} what @param {number} value */
function opacityOf(what, value) {
  return value < 1 ? ` ${what}-opacity="${alpha(value)}"` : "";
}

// What XML cannot hold: control characters, halves of characters, and two numbers that are none.
const UNWRITABLE =
  // eslint-disable-next-line no-control-regex
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** @param {string} text */
function escaped(text) {
  return text
    .replace(UNWRITABLE, "\ufffd")
    .replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c] ?? c);
}

// --- text without a browser ----------------------------------------------------------------------

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
 * @param {string} text
 * @param {number} most
 * @param {number} size
 */
function shortened(text, most, size) {
  if (estimatedWidth(text, size) <= most) return text;
  const letters = Array.from(text);
  let count = letters.length;
  while (count > 1 && estimatedWidth(letters.slice(0, count).join("") + "…", size) > most) {
    // Ten thousand characters are far too many: the first step is a big one.
    count = Math.min(count - 1, Math.ceil(most));
  }
  return letters.slice(0, count).join("") + "…";
}

// --- pixels --------------------------------------------------------------------------------------

/**
 * @param {number} width
 * @param {number} height
 * @param {Uint8ClampedArray} rgba
 */
async function png(width, height, rgba) {
  const raw = new Uint8Array(height * (4 * width + 1)); // each row begins with its filter: none
  for (let y = 0; y < height; y++) {
    raw.set(rgba.subarray(4 * width * y, 4 * width * (y + 1)), (4 * width + 1) * y + 1);
  }
  const deflate = new Blob([raw]).stream().pipeThrough(new CompressionStream("deflate"));
  const data = new Uint8Array(await new Response(deflate).arrayBuffer());
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([8, 6, 0, 0, 0], 8); // eight bits of red, green, blue and alpha
  const parts = [
    Uint8Array.of(137, 80, 78, 71, 13, 10, 26, 10),
    pngChunk("IHDR", header),
    pngChunk("IDAT", data),
    pngChunk("IEND", new Uint8Array(0)),
  ];
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/**
 * @param {string} name
 * @param {Uint8Array} data
 */
function pngChunk(name, data) {
  const chunk = new Uint8Array(12 + data.length);
  const view = new DataView(chunk.buffer);
  view.setUint32(0, data.length);
  for (let i = 0; i < 4; i++) chunk[4 + i] = name.charCodeAt(i);
  chunk.set(data, 8);
  view.setUint32(8 + data.length, crc(chunk.subarray(4, 8 + data.length)));
  return chunk;
}

/** @param {Uint8Array} bytes the checksum that PNG asks for, CRC-32 */
function crc(bytes) {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1;
  }
  return (sum ^ 0xffffffff) >>> 0;
}

/** @param {Uint8Array} bytes */
function base64(bytes) {
  let text = "";
  for (let i = 0; i < bytes.length; i += 0x8000) {
    text += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
  }
  return btoa(text);
}
