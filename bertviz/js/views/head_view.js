// The head view: where the heads of one layer look. Two columns of tokens, queries left and keys
// right, and a line for every weight; or the same as a matrix.

import { add } from "../controls/dom.js";
import { addHeadSquares, headsOf } from "../controls/head_squares.js";
import { addMark } from "../controls/mark.js";
import { addSave } from "../controls/save.js";
import { addSelect, option } from "../controls/selects.js";
import { addSourceSelects } from "../controls/source_selects.js";
import { addSwitch, addToggle } from "../controls/switches.js";
import { shortWeight } from "../data/formats.js";
import { edgesOf, meanHidden, slotsOf } from "../data/edges.js";
import { addFooter, drawFooter } from "../parts/footer.js";
import { drawHeader } from "../parts/header.js";
import { addLines, drawLines, linesPlot } from "../parts/lines.js";
import { addMatrix, colorOf, drawMatrix, matrixPlot } from "../parts/matrix.js";
import { addOverview, OVERVIEW } from "../parts/overview.js";
import { tokensOf } from "../data/payload.js";
import { hasWords, regrouped, SEVERAL, textOf } from "../data/regroup.js";
import { HIDDEN, isFiltered, MASSES, positionsOf } from "../state.js";
import { estimatedWidth, Sheet } from "../svg/sheet.js";

/** @typedef {import("../data/payload.js").Source} Source */
/** @typedef {import("../state.js").State} State */
/** @typedef {import("../theme/theme.js").Theme} Theme */

/** More tokens than this are a long text: it has an overview, and begins with the strongest lines. */
export const LONG = 64;
const STRONGEST = 0.5;

/**
 * How much of each row lines at rest show, if the reader has not said.
 * @param {number} tokens
 */
export const startingMass = (tokens) => (tokens > LONG ? STRONGEST : 1);

/**
 * The picture of a state, as data.
 * @param {Source} source
 * @param {State} state
 */
export function headScene(source, state) {
  const block = source.block(state.block);
  const layer = source.layer(state.block, state.layer);
  const weights = regrouped(source.weights(layer), block, state);
  const heads = (state.combine ?? "each") === "each" ? slotsOf(weights, state.heads) : [SEVERAL];
  const all = { queries: positionsOf(block, "query", state), keys: positionsOf(block, "key", state) };
  const { query, key, also, mass } = state;
  const part = windowOf(all, state.zoom);
  const among = state.renormalize ? all.keys : null;
  const shown = { block, layer, weights, heads, among, ...part };
  const edges = edgesOf(weights, { heads, ...part, query, key, also, among, mass, boost: true });
  const text = {
    query: textOf(tokensOf(block, "query"), state.words),
    key: textOf(tokensOf(block, "key"), state.words),
  };
  return Object.assign(Object.create(edges), { view: "head", ...shown, all, text, query, key });
}

/**
 * @param {{queries: Int32Array, keys: Int32Array}} all
 * @param {State["zoom"]} zoom
 */
function windowOf({ queries, keys }, zoom) {
  if (!zoom) return { queries, keys };
  return {
    queries: queries.filter((q) => q >= zoom[0] && q < zoom[1]),
    keys: keys.filter((k) => k >= zoom[2] && k < zoom[3]),
  };
}

/**
 * What lines, matrix and overview draw.
 * @param {ReturnType<typeof headScene>} scene
 * @param {State} state
 * @param {Theme} theme
 */
function pictureOf(scene, state, theme) {
  const several = scene.heads[0] === SEVERAL;
  return {
    ...scene,
    edges: scene,
    colors: slotColors(scene, (head) => (several ? theme.accent : theme.head(head)), theme),
    name: JSON.stringify([
      ...[state.block, state.layer, state.heads, state.pair, state.renormalize],
      ...[state.words, state.combine, state.hide, state.mass, state.zoom],
    ]),
  };
}

/**
 * A head's colour for its weights; for differences that of their sign, whosever they are.
 * @param {{heads: number[], signs: number[]}} edges
 * @param {(head: number) => string} own
 * @param {Theme} theme
 */
export function slotColors({ heads, signs }, own, { positive, negative }) {
  const signed = signs.includes(-1);
  return heads.map((head, i) => (!signed ? own(head) : signs[i] < 0 ? negative : positive));
}

/**
 * The colour of all head squares, where heads have no colours of their own.
 * @param {ReturnType<typeof headScene>} scene
 * @param {Theme} theme
 */
function chipColor({ heads, signs }, theme) {
  if (heads[0] === SEVERAL) return theme.accent;
  return signs.includes(-1) ? theme.muted : null;
}

/**
 * The legend of differences.
 * @param {string} signed what full strength means
 */
export function differenceLegend(signed) {
  return { signed, signs: /** @type {[string, string]} */ (["more in b", "more in a"]) };
}

/**
 * The matrix and the overview show what is there, whatever is selected.
 * @param {ReturnType<typeof pictureOf>} picture
 * @param {{queries: Int32Array, keys: Int32Array}} part
 */
function unselected(picture, part) {
  const { heads, weights, among } = picture;
  const edges = edgesOf(weights, { heads, ...part, query: null, key: null, among });
  return { ...picture, ...part, edges };
}

/** @type {import("../shell.js").View} */
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
  create(frame) {
    const { root, source } = frame;
    const { blocks, difference = false } = source.payload;
    const toolbar = add(root, "toolbar");
    const selects = addSourceSelects(toolbar, frame, { layer: true });
    const hide = addSelect(toolbar, "hide", "Hide", (value) =>
      frame.set({ hide: /** @type {State["hide"]} */ (value) }),
    );
    const whole = addToggle(toolbar, "renormalize", "Renormalise", "Rows add up to one over the keys that are shown");
    whole.element.addEventListener("click", () => frame.set({ renormalize: !frame.state().renormalize }));
    const words = addToggle(toolbar, "words", "Words", "Words instead of their pieces: summed over keys, mean over queries");
    words.element.addEventListener("click", () => frame.set({ words: !frame.state().words }));
    const mass = addSelect(toolbar, "mass", "Lines", (value) => frame.set({ mass: Number(value) }));
    mass.element.title = "At rest: all lines, or the strongest ones of each row that hold this part of it";
    const modes = addSwitch(toolbar, "mode", ["lines", "matrix"], (mode) =>
      frame.set({ mode: /** @type {"lines" | "matrix"} */ (mode), query: null, key: null, locked: false }),
    );
    addSave(toolbar, frame);
    addMark(toolbar, source.payload.model);
    const squares = addHeadSquares(root, frame);
    const combine = addSelect(squares.element, "combine", "drawn", (value) =>
      frame.set({ combine: /** @type {State["combine"]} */ (value) }),
    );
    const body = add(root, "body");
    const asLines = add(body, "as-lines");
    const lines = addLines(asLines, frame);
    const matrix = addMatrix(body, frame);
    const overview = addOverview(body, frame);
    const footers = {
      lines: addFooter(root, "click locks · Shift-click adds · Esc clears · ↑ ↓ moves"),
      matrix: addFooter(root, "click locks · Esc clears · arrows move · drag enlarges"),
    };

    let shown = "";

    return {
      draw(state) {
        const theme = frame.theme();
        const scene = headScene(source, state);
        const { block } = scene;
        selects.draw();
        squares.draw(chipColor(scene, theme));
        hide.draw(
          Object.entries(HIDDEN)
            .filter(([name]) => name !== "special" || tokensOf(block, "query").special.length || tokensOf(block, "key").special.length)
            .map(([name, { label }]) => option(name, label)),
          state.hide ?? "nothing",
        );
        whole.element.hidden = difference || !isFiltered(state);
        whole.draw(Boolean(state.renormalize));
        words.element.hidden = difference || !blocks.some(hasWords);
        words.draw(Boolean(state.words));
        const mode = state.mode ?? "lines";
        mass.element.hidden = mode === "matrix";
        const masses = [...new Set([...MASSES, state.mass ?? 1])].sort((a, b) => b - a);
        mass.draw(masses.map((m) => option(m, massName(m))), String(state.mass ?? 1));
        combine.element.hidden = difference || headsOf(frame).length < 2;
        combine.draw(
          [option("each", "one by one"), option("mean", "as their mean"), option("sum", "as their sum")],
          state.combine ?? "each",
        );
        modes.draw(mode);
        if (mode !== shown) {
          // Only one of the two is in the page at a time.
          shown = mode;
          for (const part of [asLines, matrix.element, ...Object.values(footers).map((f) => f.element)]) {
            part.remove();
          }
          body.prepend(mode === "lines" ? asLines : matrix.element);
          root.append(footers[mode].element);
        }

        const picture = pictureOf(scene, state, theme);
        const long = Math.max(scene.all.queries.length, scene.all.keys.length) > LONG;
        const beside = long && frame.width() >= 560;
        body.classList.toggle("beside", beside);
        overview.element.hidden = !long;
        if (long) overview.draw(scene.all, () => unselected(picture, scene.all), state);
        const width = frame.width() - (beside ? OVERVIEW + 24 : 0);
        if (mode === "matrix") {
          const whole = unselected(picture, windowOf(scene.all, state.zoom));
          const cells = matrix.draw(whole, state, width);
          const legend = legendOf(whole.edges, state, { ...cells, color: colorOf(picture, theme) });
          footers.matrix.draw({ theme, ...legend });
          return Object.assign(scene, { matrix: { ...cells, queries: scene.queries, keys: scene.keys } });
        }
        lines.draw(picture, state, width);
        footers.lines.draw({ theme, ...legendOf(scene, state) });
        return scene;
      },
    };
  },
  figure(source, state, { theme, width }) {
    const scene = headScene(source, state);
    const picture = pictureOf(scene, state, theme);
    const matrix = state.mode === "matrix";
    const whole = unselected(picture, windowOf(scene.all, state.zoom));
    const plot = matrix ? null : linesPlot(picture, state, width, estimatedWidth);
    const cells = matrix ? matrixPlot(whole, state, width, estimatedWidth) : null;
    const inner = plot ? plot.width : cells ? cells.labels.query + cells.width : width;
    const sheet = new Sheet(theme, Math.max(inner, 420), `Head view, layer ${state.layer}`);
    const several = scene.heads[0] === SEVERAL;
    drawHeader(sheet, source.payload, state, {
      heads: state.heads.map((head) => ({ head, color: chipColor(scene, theme) ?? theme.head(head) })),
      what: several ? `${state.combine} of the heads` : "",
    });
    if (plot) drawLines(sheet, plot);
    const drawn = cells ? { ...drawMatrix(sheet, cells), color: colorOf(picture, theme) } : undefined;
    drawFooter(sheet, legendOf(drawn ? whole.edges : scene, state, drawn));
    return sheet;
  },
};

/** @param {number} mass */
function massName(mass) {
  return mass === 1 ? "all" : `top ${Math.round(100 * mass)} %`;
}

/** @param {State} state */
const shownPart = ({ pair }) => (pair === "All" ? "what is shown" : pair);

/**
 * What colours and opacity mean, and what the picture leaves out.
 * @param {import("../data/edges.js").Edges} edges
 * @param {State} state
 * @param {{max: number, root: boolean, color: string}} [cells] of a matrix, of nothing selected
 */
function legendOf(edges, state, cells) {
  const { combine = "each" } = state;
  const chosen = cells ? { ...state, query: null, key: null } : state;
  const what = state.renormalize ? `renormalised to ${shownPart(state)}` : "";
  if (edges.signs.includes(-1)) {
    const gain = edges.gain === 1 ? "" : ` · ${shortWeight(edges.gain)}`;
    const root = cells?.root ? "√ " : "";
    const strength = cells ? `${root}full strength: ${shortWeight(cells.max)}` : `opacity: |b − a|${gain}`;
    return { ...differenceLegend(strength), note: massNote(edges, chosen) };
  }
  if (cells) {
    const kind = combine === "sum" ? "sum of weights" : state.heads.length > 1 ? "mean weight" : "weight";
    return {
      legend: [`${cells.root ? "√ " : ""}${kind}`, what].filter(Boolean).join(", "),
      largest: shortWeight(cells.max),
      colors: ["transparent", cells.color],
      note: massNote(edges, chosen),
    };
  }
  const gain = shortWeight(edges.gain);
  const kind = combine === "each" ? "weight" : `${combine} of ${state.heads.length} heads`;
  return {
    legend: [kind, what, edges.gain === 1 ? "" : `lines at ${gain} of it`].filter(Boolean).join(", "),
    largest: combine === "sum" ? "1 and more" : "1",
    note: massNote(edges, chosen),
  };
}

/**
 * What the picture leaves out.
 * @param {import("../data/edges.js").Edges} edges
 * @param {State} state
 */
export function massNote(edges, state) {
  const { outside, weaker, unlisted } = meanHidden(edges);
  const shaded = unlisted >= 0.005 && state.key === null ? ", shaded" : "";
  const what = edges.signs.includes(-1) ? "differences not listed" : "hidden mass";
  const parts = [`${what} ${unlisted.toFixed(2)}${shaded}`];
  if (weaker >= 0.0005) parts.push(`in weaker lines ${weaker.toFixed(2)}`);
  if (isFiltered(state) || state.zoom) {
    parts.push(`outside ${state.zoom ? "the window" : shownPart(state)} ${outside.toFixed(2)}`);
  }
  const oneRow = state.query !== null && !state.also?.length && new Set(edges.rows.head).size === 1;
  return parts.join(" · ") + (oneRow ? "" : " (mean per row)");
}
