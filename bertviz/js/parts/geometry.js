// What a painter has to know of the place that rows are drawn in.

/**
 * @typedef {object} Geometry
 * @property {number} width
 * @property {number} top first visible pixel of the sheet
 * @property {number} height visible pixels
 * @property {number} row height of a row
 */

export {};
