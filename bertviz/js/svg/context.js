// The painters draw on a canvas's context. Here is one that writes SVG, so that a file shows what a
// page shows, without a page.

import { alpha, n } from "./markup.js";
import { base64, png } from "./png.js";

const RATIO = 2; // pixels of an image per unit

/**
 * As much of a canvas's context as the painters use; what they draw becomes elements. Shapes of one
 * color and width that follow each other share a group.
 */
export class SvgContext {
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
    const arc = (/** @type {number} */ dx, /** @type {number} */ dy) =>
      `a${n(r)} ${n(r)} 0 0 1 ${n(dx)} ${n(dy)}`;
    this.#path.push(
      `M${n(x + r)} ${n(y)}h${n(width - 2 * r)}${arc(r, r)}v${n(height - 2 * r)}${arc(-r, r)}` +
        `h${n(2 * r - width)}${arc(-r, -r)}v${n(2 * r - height)}${arc(r, -r)}z`,
    );
  }

  stroke() {
    const join = this.lineJoin === "miter" ? "" : ` stroke-linejoin="${this.lineJoin}"`;
    this.#style(
      `fill="none" stroke="${this.strokeStyle}" stroke-width="${n(this.lineWidth)}"${join}`,
    );
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

/** @param {"fill" | "stroke"} what @param {number} value */
function opacityOf(what, value) {
  return value < 1 ? ` ${what}-opacity="${alpha(value)}"` : "";
}
