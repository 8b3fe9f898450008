// The head view: which tokens the heads of one layer attend to. Two columns of tokens, queries left
// and keys right, with a line for every weight; or the same weights as a matrix.

import { add } from "../controls/dom.js";
import { addFooter } from "../controls/footer.js";
import { addHeadToolbar } from "../controls/head_toolbar.js";
import { addLines } from "../controls/lines.js";
import { addMatrix } from "../controls/matrix.js";
import { addOverview } from "../controls/overview.js";
import { OVERVIEW } from "../parts/overview.js";
import { headPicture, headScene, unselected, windowOf } from "../scenes/head.js";
import { headLegend } from "../scenes/head_legend.js";
import { isLong, startingMass } from "../scenes/long_texts.js";
import { cellColor } from "../scenes/picture.js";
import { headFigure } from "../svg/head_figure.js";

/** @typedef {import("../controls/frame.js").Frame} Frame */
/** @typedef {import("../state.js").State} State */
/** @typedef {import("../scenes/head.js").HeadScene} HeadScene */
/** @typedef {ReturnType<typeof headPicture>} Picture */

const NARROWEST = 560; // CSS pixels, below which the overview does not stand beside the picture
const GAP = 24;

/** @type {import("../controls/frame.js").View} */
export const headView = {
  keys: ["mode"],
  start: (payload) => ({
    mode: "lines",
    zoom: null,
    renormalize: false,
    words: false,
    combine: "each",
    hide: "nothing",
    also: [],
    mass: startingMass(Math.max(...payload.blocks.map((b) => b.query.text.length))),
  }),
  needs: (source, state) => [source.layer(state.block, state.layer)],
  create: (frame) => new HeadDrawing(frame),
  figure: headFigure,
};

class HeadDrawing {
  #frame;
  #toolbar;
  #body;
  #asLines;
  #lines;
  #matrix;
  #overview;
  #footers;
  #shown = "";

  /** @param {Frame} frame */
  constructor(frame) {
    const { root } = frame;
    this.#frame = frame;
    this.#toolbar = addHeadToolbar(root, frame);
    this.#body = add(root, "body");
    this.#asLines = add(this.#body, "as-lines");
    this.#lines = addLines(this.#asLines, frame);
    this.#matrix = addMatrix(this.#body, frame);
    this.#overview = addOverview(this.#body, frame);
    this.#footers = {
      lines: addFooter(root, "click locks · Shift-click adds · Esc clears · ↑ ↓ move"),
      matrix: addFooter(root, "click locks · Esc clears · arrow keys move · drag zooms in"),
    };
  }

  /** @param {State} state */
  draw(state) {
    const scene = headScene(this.#frame.source, state);
    const picture = headPicture(scene, state, this.#frame.theme());
    this.#toolbar.draw(scene, state);
    this.#show(state.mode ?? "lines");
    const width = this.#drawOverview(picture, state);
    if (state.mode === "matrix") return this.#drawMatrix(scene, picture, state, width);
    this.#lines.draw(picture, state, width);
    this.#footers.lines.draw({ theme: this.#frame.theme(), ...headLegend(scene, state) });
    return scene;
  }

  /**
   * Only one of the two is in the page at a time.
   * @param {"lines" | "matrix"} mode
   */
  #show(mode) {
    if (mode === this.#shown) return;
    this.#shown = mode;
    const { lines, matrix } = this.#footers;
    const parts = { lines: this.#asLines, matrix: this.#matrix.element };
    for (const part of [parts.lines, parts.matrix, lines.element, matrix.element]) part.remove();
    this.#body.prepend(parts[mode]);
    this.#frame.root.append(this.#footers[mode].element);
  }

  /**
   * The overview of a long text, beside the picture where there is room.
   * @param {Picture} picture
   * @param {State} state
   * @returns {number} the width that is left
   */
  #drawOverview(picture, state) {
    const { all } = picture;
    const long = isLong(all);
    const width = this.#frame.width();
    const beside = long && width >= NARROWEST;
    this.#body.classList.toggle("beside", beside);
    this.#overview.element.hidden = !long;
    if (long) this.#overview.draw(all, () => unselected(picture, all), state);
    return beside ? width - OVERVIEW - GAP : width;
  }

  /**
   * @param {HeadScene} scene
   * @param {Picture} picture
   * @param {State} state
   * @param {number} width
   */
  #drawMatrix(scene, picture, state, width) {
    const theme = this.#frame.theme();
    const whole = unselected(picture, windowOf(scene.all, state.zoom));
    const cells = this.#matrix.draw(whole, state, width);
    const scale = { ...cells, color: cellColor(picture, theme) };
    this.#footers.matrix.draw({ theme, ...headLegend(whole.edges, state, scale) });
    const matrix = { ...cells, queries: scene.queries, keys: scene.keys };
    return Object.assign(scene, { matrix });
  }
}
