// The canvas below the buttons of the grid. It is painted again only when the picture changes, from
// thumbnails that are kept, and made a step at a time before they are needed.

import { Atlas } from "../paint/atlas.js";
import { paintGrid } from "../paint/grid.js";
import { lookOf } from "../parts/grid.js";
import { add } from "./dom.js";

/** @typedef {import("../parts/grid.js").Layout} Layout */
/** @typedef {import("../scenes/model.js").ModelScene} ModelScene */

const createCanvas = () => document.createElement("canvas");

export class GridPicture {
  #canvas;
  #frame;
  // One for each ply: what is positive, or more in b; what is negative, or more in a; what is missing.
  #atlases = [1, 2, 3].map(() => new Atlas(createCanvas));
  #painted = "";

  /**
   * @param {HTMLElement} parent
   * @param {import("./frame.js").Frame} frame
   */
  constructor(parent, frame) {
    this.#frame = frame;
    this.#canvas = /** @type {HTMLCanvasElement} */ (add(parent, "", "canvas"));
    this.#canvas.setAttribute("aria-hidden", "true");
  }

  /**
   * Thumbnails, one a step.
   * @param {ModelScene} scene
   * @param {Layout} layout
   */
  *prepare(scene, layout) {
    const stencils = stencilsOf(scene, layout);
    if (layout.tiles || this.#nameOf(scene, layout, stencils) === this.#painted) return;
    yield* this.#make(scene, stencils);
  }

  /**
   * @param {ModelScene} scene
   * @param {Layout} layout
   */
  draw(scene, layout) {
    const stencils = stencilsOf(scene, layout);
    const name = this.#nameOf(scene, layout, stencils);
    if (name === this.#painted) return;
    this.#painted = name;
    const theme = this.#frame.theme();
    if (!layout.tiles) for (const _ of this.#make(scene, stencils)); // what was not prepared
    const context = this.#resize(layout, stencils.ratio);
    const drawn = scene.cells.map((cell) => ({
      cell,
      look: lookOf(scene, layout, cell, theme),
      at: placeInAtlas(scene, cell),
    }));
    const used = layout.tiles ? [] : this.#used(scene);
    const atlases = used.map((atlas, i) =>
      atlas.tinted(drawn.map(({ at, look }) => ({ ...at, color: look.thumbnails[i].color }))),
    );
    const { ratio, size } = stencils;
    paintGrid(context, drawn, layout, { ratio, size, atlases, dash: theme.muted });
  }

  /**
   * What the picture depends on.
   * @param {ModelScene} scene
   * @param {Layout} layout
   * @param {import("../paint/atlas.js").Stencils} stencils
   */
  #nameOf({ choice, sorted }, { pitch, tiles }, { name }) {
    const { mode } = this.#frame.theme();
    return JSON.stringify([name, pitch, mode, choice?.name, sorted, tiles]);
  }

  /** @param {ModelScene} scene */
  #used({ plies }) {
    return this.#atlases.slice(0, plies.length);
  }

  /**
   * @param {ModelScene} scene
   * @param {import("../paint/atlas.js").Stencils} stencils
   */
  *#make(scene, stencils) {
    const { source } = this.#frame;
    const shape = { rows: scene.block.layers.length, columns: scene.heads.length };
    const present = scene.block.layers.filter((layer) => source.has(layer, "weights"));
    for (const [i, atlas] of this.#used(scene).entries()) {
      const places = present.flatMap((layer) =>
        layer.heads.map((head) => ({
          ...placeInAtlas(scene, { layer, head }),
          head,
          ply: scene.plies[i],
          weights: source.weights(layer),
        })),
      );
      yield* atlas.make(stencils, places, shape);
    }
  }

  /**
   * @param {Layout} layout
   * @param {number} ratio
   */
  #resize({ pitch, columns, rows }, ratio) {
    const [width, height] = [pitch * columns, pitch * rows];
    this.#canvas.width = Math.round(width * ratio);
    this.#canvas.height = Math.round(height * ratio);
    this.#canvas.style.width = `${width}px`;
    this.#canvas.style.height = `${height}px`;
    return /** @type {CanvasRenderingContext2D} */ (this.#canvas.getContext("2d"));
  }
}

/**
 * Heads stand in an atlas as in the model, however the cells are sorted.
 * @param {ModelScene} scene
 * @param {{layer: import("../data/schema.js").Layer, head: number}} cell
 */
function placeInAtlas({ block, heads }, { layer, head }) {
  return { row: block.layers.indexOf(layer), column: heads.indexOf(head) };
}

/**
 * @param {ModelScene} scene
 * @param {Layout} layout
 * @returns {import("../paint/atlas.js").Stencils}
 */
function stencilsOf({ block, pair, queries, keys, scale }, { inner, pad, form }) {
  const ratio = globalThis.devicePixelRatio || 1;
  const size = Math.max(1, Math.round((inner - 2 * pad) * ratio));
  const name = JSON.stringify([block.name, pair, form, size, ratio]);
  return { name, ratio, size, form, queries, keys, scale };
}
