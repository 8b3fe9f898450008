// The head view: which tokens the heads of one layer attend to. Two columns of tokens, queries left
// and keys right, with a line for every weight; or the same weights as a matrix.

import { add } from "../controls/dom.js";
import { addFooter } from "../controls/footer.js";
import { addHeadToolbar } from "../controls/head_toolbar.js";
import { addLines } from "../controls/lines.js";
import { addMatrix } from "../controls/matrix.js";
import { addMultiples } from "../controls/multiples.js";
import { addOverview } from "../controls/overview.js";
import { addReading } from "../controls/reading.js";
import { addTitleLine } from "../controls/title_line.js";
import { headCount } from "../data/differences.js";
import { shortSize } from "../data/formats.js";
import { OVERVIEW } from "../parts/overview.js";
import { headPicture, headScene, unselected, windowOf } from "../scenes/head.js";
import { headTitle } from "../scenes/head_title.js";
import { headLegend } from "../scenes/head_legend.js";
import { isLong, startingMass } from "../scenes/long_texts.js";
import { cellColor } from "../scenes/picture.js";
import { shownRow } from "../scenes/shown_row.js";
import { headFigure } from "../svg/head_figure.js";

/** @typedef {import("../controls/frame.js").Frame} Frame */
/** @typedef {import("../state.js").State} State */
/** @typedef {import("../scenes/head.js").HeadScene} HeadScene */
/** @typedef {ReturnType<typeof headPicture>} Picture */

const NARROWEST = 560; // CSS pixels, below which the overview does not stand beside the picture
const GAP = 24;
const WIDE = 900; // from here on the reading panel stands beside the picture
const READING = [300, 460]; // its widths
const FIRST = 200; // tokens; of a longer text the panel is read before the picture

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
    panel: "text",
    mass: startingMass(Math.max(...payload.blocks.map((b) => b.query.text.length))),
  }),
  needs: (source, state) => [source.layer(state.block, state.layer)],
  create: (frame) => new HeadDrawing(frame),
  figure: headFigure,
};

class HeadDrawing {
  #frame;
  #toolbar;
  #title;
  #body;
  #asLines;
  #lines;
  #matrix;
  #multiples;
  #overview;
  #reading;
  #footers;
  #shown = "";

  /** @param {Frame} frame */
  constructor(frame) {
    const { root } = frame;
    this.#frame = frame;
    this.#toolbar = addHeadToolbar(frame);
    this.#title = addTitleLine(root, frame);
    this.#body = add(root, "body");
    this.#asLines = add(this.#body, "as-lines");
    this.#lines = addLines(this.#asLines, frame);
    this.#matrix = addMatrix(this.#body, frame);
    this.#multiples = addMultiples(this.#body, frame);
    this.#overview = addOverview(this.#body, frame);
    this.#reading = addReading(this.#body, frame, (row) => this.#reveal(row));
    this.#footers = {
      lines: addFooter(root, "click locks · Shift-click adds · Esc clears · ↑ ↓ move"),
      matrix: addFooter(root, "click locks · Esc clears · arrow keys move · drag zooms in"),
    };
  }

  /** @param {State} chosen */
  draw(chosen) {
    const seen = this.#toolbar.seen(chosen);
    // Matrices beside each other stay where they are: that of the head stands out among them.
    const { mode, combine = "each", heads } = chosen;
    const apart = mode === "matrix" && combine === "each" && heads.length > 1;
    const state = apart ? chosen : seen;
    const scene = headScene(this.#frame.source, state);
    const picture = headPicture(scene, state, this.#frame.theme());
    this.#toolbar.draw(scene, state);
    this.#show(state.mode === "matrix" ? matrixKind(scene) : "lines");
    const width = this.#drawOverview(picture, state, this.#arrange(picture));
    const row = shownRow(picture, state);
    const title = headTitle(picture, row, state, this.#frame.source.payload);
    this.#title.draw(title, state.heads.length === 1 ? state.heads[0] : null);
    if (state.mode === "matrix") {
      const preview = seen === state ? null : seen.heads[0];
      const drawn = this.#drawMatrix(scene, picture, state, width, preview);
      this.#reading.draw(picture, row, state, null);
      return drawn;
    }
    const { bars } = this.#lines.draw(picture, state, width);
    this.#reading.draw(picture, row, state, this.#lines.inSight());
    const legend = headLegend(scene, state);
    const note = [barsNote(bars, scene), legend.note].filter(Boolean).join(" · ");
    this.#footers.lines.draw({ theme: this.#frame.theme(), ...legend, note });
    return scene;
  }

  /**
   * The panel beside the picture, where there is room, or below it; before it, if the text is long.
   * @param {Picture} picture
   * @returns {number} the width that is left
   */
  #arrange({ queries, keys }) {
    const width = this.#frame.width();
    const wide = width >= WIDE;
    const long = Math.max(queries.length, keys.length) > FIRST;
    this.#body.classList.toggle("wide", wide);
    this.#body.classList.toggle("first", long && !wide);
    if (!wide) return width;
    return width - GAP - Math.min(READING[1], Math.max(READING[0], Math.round(0.32 * width)));
  }

  /** A matrix shows all of its rows. @param {number} row */
  #reveal(row) {
    if (this.#frame.state().mode !== "matrix") this.#lines.reveal(row);
  }

  /**
   * Only one of them is in the page at a time.
   * @param {"lines" | "matrix" | "multiples"} kind
   */
  #show(kind) {
    if (kind === this.#shown) return;
    this.#shown = kind;
    const { lines, matrix } = this.#footers;
    const parts = {
      lines: this.#asLines,
      matrix: this.#matrix.element,
      multiples: this.#multiples.element,
    };
    for (const part of [...Object.values(parts), lines.element, matrix.element]) part.remove();
    this.#body.prepend(parts[kind]);
    this.#frame.root.append((kind === "lines" ? lines : matrix).element);
  }

  /**
   * The overview of a long text, beside the picture where there is room.
   * @param {Picture} picture
   * @param {State} state
   * @param {number} width
   * @returns {number} the width that is left
   */
  #drawOverview(picture, state, width) {
    const { all } = picture;
    const long = isLong(all);
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
   * @param {number | null} preview the head under the pointer, where several are drawn
   */
  #drawMatrix(scene, picture, state, width, preview) {
    const theme = this.#frame.theme();
    const whole = unselected(picture, windowOf(scene.all, state.zoom));
    const several = matrixKind(scene) === "multiples";
    const { matrices, ...cells } = several
      ? this.#multiples.draw(whole, state, width, preview)
      : { ...this.#matrix.draw(whole, state, width), matrices: null };
    const scale = { ...cells, color: cellColor(picture, theme) };
    this.#footers.matrix.draw({ theme, ...headLegend(whole.edges, state, scale) });
    const shown = { queries: scene.queries, keys: scene.keys };
    // One matrix, or of several heads a list of theirs, each with its head.
    const matrix = matrices ? null : { ...cells, ...shown };
    return Object.assign(scene, { matrix, matrices: matrices?.map((m) => ({ ...m, ...shown })) });
  }
}

/**
 * Heads that are drawn separately have a matrix each.
 * @param {HeadScene} scene
 * @returns {"matrix" | "multiples"}
 */
const matrixKind = ({ signs }) => (headCount(signs) > 1 ? "multiples" : "matrix");

/**
 * @param {import("../parts/bars.js").Bars} bars
 * @param {HeadScene} edges
 */
function barsNote({ full, some, columns }, edges) {
  const scaled = full === 1 ? "" : `longest bar: ${shortSize(full, edges)}`;
  const heads = columns.length - 1;
  const several = heads === 1 ? "the strongest head" : `the ${heads} strongest heads`;
  const shown = `bars of ${heads ? several : "the mean"}`;
  return [scaled, some ? shown : ""].filter(Boolean).join(" · ");
}
