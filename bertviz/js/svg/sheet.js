// A figure as SVG, drawn by the same painters as a canvas. A sheet is filled from the top: text
// stays text, lines and boxes stay shapes, and what is painted pixel by pixel becomes an image
// underneath. Nothing here needs a document, so pictures are made without a browser too, and the
// same state gives the same file.

import { SvgContext } from "./context.js";
import { alpha, escaped, fingerprint, ID, n } from "./markup.js";
import { inLines, shortened } from "./text_width.js";

/** @typedef {import("../theme/colors.js").Theme} Theme */
/** @typedef {import("../parts/geometry.js").Geometry} Geometry */
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
 * @property {boolean} [halo] for text on colors
 * @property {boolean} [upright] turned by a quarter, read from below
 */

const FONT = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif";
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
   * @param {string} [part] tells the sheets of one file apart
   */
  constructor(theme, width, title, part = "") {
    this.theme = theme;
    this.width = width;
    this.title = title;
    this.part = part;
    /** Where the next thing begins. */
    this.y = 0;
  }

  /**
   * @param {string} text
   * @param {TextOptions} options
   */
  text(
    text,
    { x, y, size = 11, strong, anchor, color = this.theme.ink, opacity, most, halo, upright },
  ) {
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
   * Text that goes on in the next line where the width ends.
   * @param {string} text
   * @param {TextOptions & {size: number, width: number, line: number}} options
   * @returns {number} the lines that follow the first
   */
  paragraph(text, { width, line, ...options }) {
    const lines = inLines(text, width, options.size);
    lines.forEach((words, i) =>
      this.text(words, { ...options, y: options.y + i * line, most: width }),
    );
    return Math.max(0, lines.length - 1);
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
   * A head's number on its color.
   * @param {string} text
   * @param {number} x
   * @param {string} color
   */
  chip(text, x, color) {
    const width = 6 + 6.5 * Math.max(1.6, text.length);
    this.rect(x, this.y, width, 16, { fill: color, radius: 3 });
    const middle = /** @type {const} */ ({ x: x + width / 2, anchor: "middle" });
    this.text(text, { y: this.y + 12, strong: true, color: this.theme.onHead, ...middle });
  }

  /**
   * A bar of colors.
   * @param {number} x
   * @param {number} y
   * @param {number} width
   * @param {number} height
   * @param {string[]} colors
   * @param {number} [strength] their opacity
   */
  ramp(x, y, width, height, colors, strength = 1) {
    const id = `${ID}${this.part}${this.#gradients++}`;
    const faint = strength === 1 ? "" : ` stop-opacity="${alpha(strength)}"`;
    const stops = colors.map((color, i) => {
      const clear = color === "transparent";
      const at = n(i / Math.max(1, colors.length - 1));
      // In the middle it fades from the one color and into the other.
      const before =
        clear && i ? `<stop offset="${at}" stop-color="${colors[i - 1]}" stop-opacity="0"/>` : "";
      return `${before}<stop offset="${at}" stop-color="${clear ? colors[colors.length - 1] : color}"${clear ? ' stop-opacity="0"' : faint}/>`;
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
   * All rows of a stage. What is painted pixel by pixel becomes several images if one would be too
   * tall.
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
   * Another sheet as a part of this one.
   * @param {Sheet} part
   * @param {number} x
   * @param {number} y
   */
  place(part, x, y) {
    this.#parts.push(`<g transform="translate(${n(x)} ${n(y)})">`, ...part.#parts, "</g>");
  }

  /**
   * What `draw` draws is moved to the right.
   * @param {number} x
   * @param {() => void} draw
   */
  aside(x, draw) {
    this.#parts.push(`<g transform="translate(${n(x)} 0)">`);
    draw();
    this.#parts.push("</g>");
  }

  /**
   * Ids are a file's own: several files may stand in one page, and none styles what is beside it.
   * @param {{scale?: number, margin?: number}} [options] CSS pixels of a unit, and units around
   * @returns {Promise<string>}
   */
  async svg({ scale = 1, margin = MARGIN } = {}) {
    const parts = await Promise.all(this.#parts);
    const [width, height] = [this.width + 2 * margin, this.y + 2 * margin];
    const picture = [
      `<svg xmlns="http://www.w3.org/2000/svg" width="${n(scale * width)}" height="${n(scale * height)}" viewBox="${-margin} ${-margin} ${n(width)} ${n(height)}" class="${ID}" font-family="${FONT}" role="img">`,
      `<title>${escaped(this.title)}</title>`,
      `<style>.${ID} text { white-space: pre; unicode-bidi: plaintext; font-variant-numeric: tabular-nums }</style>`,
      `<rect x="${-margin}" y="${-margin}" width="${n(width)}" height="${n(height)}" fill="${this.theme.ground}"/>`,
      ...parts,
      "</svg>",
      "",
    ].join("\n");
    return picture.replaceAll(ID, fingerprint(picture));
  }
}
