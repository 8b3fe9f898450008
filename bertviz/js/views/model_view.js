// The model view: every layer and head at a glance. A grid of thumbnails, layers down and heads
// across; a click opens a cell with its tokens, and from there its head or its neurons.

import { add } from "../controls/dom.js";
import { addMark } from "../controls/mark.js";
import { addSave } from "../controls/save.js";
import { addSelect } from "../controls/selects.js";
import { addSourceSelects } from "../controls/source_selects.js";
import { edgesOf, slotsOf } from "../data/edges.js";
import { addFooter } from "../controls/footer.js";
import { drawFooter } from "../svg/footer.js";
import { addGrid, DETAIL, GAP, gridWidth, layoutOf } from "../parts/grid.js";
import { drawGrid } from "../parts/grid_figure.js";
import { differenceLegend, massNote } from "../scenes/legends.js";
import { startingMass } from "../scenes/long_texts.js";
import { slotColors } from "../scenes/picture.js";
import { drawHeader } from "../svg/header.js";
import { addLines } from "../controls/lines.js";
import { linesPlot } from "../parts/lines.js";
import { drawLines } from "../svg/lines.js";
import { choiceOf, choicesOf, measured, shippedValue, written } from "../data/measures.js";
import { tokensOf } from "../data/payload.js";
import { positionsOf } from "../state.js";
import { estimatedWidth, Sheet } from "../svg/sheet.js";
import { addHandOver } from "../controls/hand_over.js";

/** @typedef {import("../data/payload.js").Source} Source */
/** @typedef {import("../data/payload.js").Block} Block */
/** @typedef {import("../data/payload.js").Layer} Layer */
/** @typedef {import("../state.js").State} State */
/** @typedef {import("../theme/theme.js").Theme} Theme */

// Cells beyond this number are tiles of one colour, and begin with a measure that gives it.
const DENSE = 1500;
const GLIMPSE = 160; // CSS pixels of an opened cell that have to be in sight
const BEHIND = { weights: 0.65, differences: 0.3 }; // of a ramp's strength, under a thumbnail

/**
 * @typedef {object} Cell
 * @property {Layer} layer
 * @property {number} head
 * @property {number} row place in the grid
 * @property {number} column
 * @property {number | null} value of the measure; null without one
 * @property {number | null} chance the value by chance, where the measure says
 * @property {number} fraction for its colour: 0..1, of a diverging measure −1..1
 */

/**
 * What of a picture stays when a cell is opened or a token touched.
 * @typedef {object} Grid
 * @property {string} name
 * @property {Block} block
 * @property {string} pair
 * @property {Int32Array} queries
 * @property {Int32Array} keys
 * @property {number[]} heads
 * @property {Cell[]} cells
 * @property {import("../data/measures.js").Choice | null} choice what cells are coloured by
 * @property {boolean} sorted
 * @property {boolean} dense
 * @property {[number, number] | null} range what the colours span
 * @property {(layer: Layer) => number} depthOf from the first layer (0) to the last (1)
 */

/** @param {Block} block */
function headsOf(block) {
  return [...new Set(block.layers.flatMap((layer) => layer.heads))].sort((a, b) => a - b);
}

/** @param {Block} block */
function isDense(block) {
  return block.layers.length * headsOf(block).length > DENSE;
}

/** @param {State} state */
function nameOf({ block, pair, measure, sorted }) {
  return JSON.stringify([block, pair, measure, sorted]);
}

/**
 * The grid of a state; the last one is kept, because it may have thousands of cells.
 * @param {Source} source
 * @param {State} state
 * @returns {Grid}
 */
function gridOf(source, state) {
  const known = grids.get(source);
  const name = nameOf(state);
  if (known?.name === name) return known;
  const { payload } = source;
  const block = source.block(state.block);
  const heads = headsOf(block);
  const choice = choiceOf(payload, state.measure);
  const depths = new Map(block.layers.map((l, i) => [l, i / Math.max(1, block.layers.length - 1)]));
  /** @param {Layer} layer @param {number} head */
  const numberOf = (layer, head) => {
    if (!choice) return { value: null, chance: null };
    if (choice.shipped) return shippedValue(choice.shipped, payload, block, layer, head);
    return { value: measured(source.weights(layer), head, choice.name), chance: null };
  };
  /** @type {Cell[]} */
  const cells = block.layers.flatMap((layer, row) =>
    layer.heads.map((head) => ({
      layer,
      head,
      row,
      column: heads.indexOf(head),
      ...numberOf(layer, head),
      fraction: depths.get(layer) ?? 0,
    })),
  );
  const range = choice && rangeOf(cells, choice);
  if (range) {
    for (const c of cells) c.fraction = fractionOf(c.value ?? 0, range, Boolean(choice?.diverging));
  }
  if (state.sorted) {
    const last = -Infinity; // without a number
    cells.sort((a, b) => (b.value ?? last) - (a.value ?? last));
    cells.forEach((c, i) => {
      c.row = Math.floor(i / heads.length);
      c.column = i % heads.length;
    });
  }
  /** @type {Grid} */
  const grid = {
    name,
    block,
    pair: state.pair,
    queries: positionsOf(block, "query", state),
    keys: positionsOf(block, "key", state),
    heads,
    cells,
    choice,
    sorted: Boolean(state.sorted),
    dense: isDense(block),
    range,
    depthOf: (layer) => depths.get(layer) ?? 0,
  };
  grids.set(source, grid);
  return grid;
}

/** @type {WeakMap<Source, Grid>} */
const grids = new WeakMap();

/**
 * The picture of a state, as data. Without an open cell its edges are those of every cell; with
 * one, those of that cell, and with a selected token there, that token's.
 * @param {Source} source
 * @param {State} state
 */
export function modelScene(source, state) {
  const grid = gridOf(source, state);
  const { queries, keys, cells, choice } = grid;
  const { cell, query, key, also } = state;
  /**
   * @param {Layer} layer
   * @param {number} head
   * @param {boolean} open
   */
  const edgesOfCell = (layer, head, open) =>
    edgesOf(source.weights(layer), {
      heads: slotsOf(source.weights(layer), [head]),
      queries,
      keys,
      query: open ? query : null,
      key: open ? key : null,
      also: open ? also : [],
      boost: open,
      mass: open ? startingMass(Math.max(queries.length, keys.length)) : 1,
    });
  const open = cell && cells.find((c) => c.layer.index === cell[0] && c.head === cell[1]);
  // Plain tiles are drawn without weights.
  const drawn = () => (open ? [open] : cells.filter((c) => source.has(c.layer, "weights")));
  const difference = Boolean(source.payload.difference);
  const strength = (/** @type {boolean} */ tiles) =>
    tiles ? 1 : BEHIND[difference ? "differences" : "weights"];
  const scene = {
    ...grid,
    view: "model",
    open: open ?? null,
    // A cell has one head, so opacity is the weight; small differences are stronger in an open cell.
    gain: open ? edgesOfCell(open.layer, open.head, true).gain : 1,
    edgesOfCell,
    /** The colour behind a cell. @param {Cell} c @param {Theme} theme @param {boolean} tiles */
    groundOf(c, theme, tiles) {
      if (!choice || c.value === null) return theme.surface;
      return colorOf(choice, c.fraction, theme, strength(tiles));
    },
    /** The colour of its thumbnail. @param {Cell} c @param {Theme} theme @param {boolean} tiles */
    inkOf: (c, theme, tiles) =>
      choice ? theme.inkOn(scene.groundOf(c, theme, tiles)) : theme.layer(c.fraction),
    /** Whether what is drawn are differences of two traces. */
    difference,
    /** How strong the colours of a measure are. @param {boolean} tiles */
    strength,
    get edges() {
      const cells = drawn();
      const parts = cells.map((c) => edgesOfCell(c.layer, c.head, Boolean(open)).edges);
      const layer = cells.map((c, i) => new Uint16Array(parts[i].head.length).fill(c.layer.index));
      return {
        layer: joined(Uint16Array, layer),
        head: joined(Uint16Array, parts.map((p) => p.head)),
        query: joined(Uint32Array, parts.map((p) => p.query)),
        key: joined(Uint32Array, parts.map((p) => p.key)),
        weight: joined(Float32Array, parts.map((p) => p.weight)),
        opacity: joined(Float32Array, parts.map((p) => p.opacity)),
      };
    },
    /** Mass that is not among the edges, per drawn row, cell by cell. */
    get hidden() {
      return joined(
        Float32Array,
        drawn().map((c) => edgesOfCell(c.layer, c.head, Boolean(open)).hidden),
      );
    },
  };
  return scene;
}

/**
 * Paler behind a thumbnail, which must stay readable.
 * @param {import("../data/measures.js").Choice} choice
 * @param {number} fraction
 * @param {Theme} theme
 * @param {number} strength
 */
function colorOf({ diverging }, fraction, theme, strength) {
  const part = strength * fraction;
  return diverging ? theme.diverging(part) : theme.value(part);
}

/**
 * What the colours span: of a diverging measure as far below zero as above, of shipped ones from
 * zero, so that small numbers do not look large.
 * @param {Cell[]} cells
 * @param {import("../data/measures.js").Choice} choice
 * @returns {[number, number] | null} null when no head has a number
 */
function rangeOf(cells, choice) {
  let [least, most] = [Infinity, -Infinity];
  for (const { value } of cells) {
    if (value === null) continue;
    if (value < least) least = value;
    if (value > most) most = value;
  }
  if (least > most) return null;
  if (choice.diverging) {
    const reach = Math.max(Math.abs(least), Math.abs(most));
    return [-reach, reach];
  }
  return [choice.shipped ? Math.min(0, least) : least, most];
}

/**
 * @param {number} value
 * @param {[number, number]} range
 * @param {boolean} diverging
 */
function fractionOf(value, [least, most], diverging) {
  if (diverging) return most > 0 ? value / most : 0;
  return most > least ? (value - least) / (most - least) : 0;
}

/**
 * @template {Uint16Array | Uint32Array | Float32Array} T
 * @param {new (length: number) => T} Type
 * @param {T[]} parts
 */
function joined(Type, parts) {
  const all = new Type(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(/** @type {any} */ (part), at);
    at += part.length;
  }
  return all;
}

/**
 * What is said of a cell, a line each.
 * @param {Cell} cell
 * @param {import("../data/measures.js").Choice | null} choice
 */
function describe({ layer, head, value, chance }, choice) {
  const name = `Layer ${layer.index}, head ${head}`;
  if (!choice) return name;
  if (value === null) return `${name}: ${choice.label} not available`;
  const number = `${name}: ${choice.label} ${written(value, 3, choice.diverging)}`;
  return chance === null ? number : `${number}\nby chance ${written(chance, 3, choice.diverging)}`;
}

/**
 * The same without the head, in one line.
 * @param {Cell} cell
 * @param {import("../data/measures.js").Choice} choice
 */
const said = (cell, choice) => describe(cell, choice).split(": ")[1].replace("\n", ", ");

/** @type {import("../shell.js").View} */
export const modelView = {
  keys: ["cell", "measure", "sorted"],
  start: (payload) => ({
    cell: null,
    measure: payload.measures?.[0]?.name ?? (isDense(payload.blocks[0]) ? "entropy" : null),
    sorted: false,
  }),
  needs(source, state) {
    const { layers, name } = source.block(state.block);
    const shipped = choiceOf(source.payload, state.measure)?.shipped;
    if (!shipped || !isDense(source.block(name))) return layers;
    // Plain tiles of numbers that are there: the open cell's weights are enough.
    return layers.filter((layer) => layer.index === state.cell?.[0]);
  },
  create(frame) {
    const { root, source } = frame;
    const { payload } = source;
    const toolbar = add(root, "toolbar");
    const selects = addSourceSelects(toolbar, frame, { layer: false });
    const measures = addSelect(toolbar, "measure", "Colour", (value) =>
      frame.set({ measure: value === "layer" ? null : value }),
    );
    const order = addSelect(toolbar, "sorted", "Order", (value) => frame.set({ sorted: value === "yes" }));
    addSave(toolbar, frame);
    addMark(toolbar, payload.model);
    const body = add(root, "model");
    /** @type {ReturnType<typeof modelScene> | null} */
    let scene = null;
    let reveal = false; // a cell was opened by hand, and may be out of sight
    const grid = addGrid(body, frame, {
      open(layer, head) {
        const { cell: open } = frame.state();
        const same = open && open[0] === layer && open[1] === head;
        reveal = !same;
        frame.set({ cell: same ? null : [layer, head], query: null, key: null, locked: false });
      },
      describe: (cell) => describe(cell, scene?.choice ?? null),
      decode: (cell) => source.ensure(source.block(frame.state().block), [cell.layer], "weights"),
    });
    const detail = add(body, "detail");
    detail.setAttribute("role", "group");
    const title = add(detail, "title");
    const about = add(detail, "path");
    const path = add(detail, "path");
    const lines = addLines(detail, frame, () => {
      const open = frame.state().cell != null;
      if (open) {
        if (detail.matches(":focus-within")) grid.focus();
        frame.set({ cell: null });
      }
      return open;
    });
    const handOver = addHandOver(detail, frame);
    const footer = addFooter(root, "click opens a head · click locks a token · Esc clears");
    const choices = choicesOf(payload);
    const offered = [
      { label: "", options: [{ value: "layer", text: payload.difference ? "differences alone" : "by layer" }] },
      { label: "scores", options: choices.filter((c) => c.shipped).map(asOption) },
      { label: "of the weights", options: choices.filter((c) => !c.shipped).map(asOption) },
    ];

    return {
      *prepare(state) {
        const { measure } = state;
        const choice = choiceOf(payload, measure);
        if (choice && !choice.shipped && grids.get(source)?.name !== nameOf(state)) {
          for (const layer of source.block(state.block).layers) {
            for (const head of layer.heads) {
              measured(source.weights(layer), head, choice.name);
              yield;
            }
          }
        }
        yield* grid.prepare(modelScene(source, state));
      },
      draw(state) {
        const theme = frame.theme();
        scene = modelScene(source, state);
        const { cells, open, choice } = scene;
        const layout = layoutOf(scene, frame.width());
        selects.draw();
        measures.drawGroups(offered, state.measure ?? "layer");
        order.element.hidden = !choice;
        order.draw(
          [{ value: "no", text: "layers and heads" }, { value: "yes", text: "largest first" }],
          scene.sorted ? "yes" : "no",
        );
        body.classList.toggle("beside", layout.beside);
        grid.draw(scene, layout);
        detail.hidden = !open;
        const parts = [];
        if (choice && cells.some((c) => c.value === null)) parts.push("– not available");
        if (open) {
          title.textContent = `Layer ${open.layer.index} · Head ${open.head}`;
          detail.setAttribute("aria-label", title.textContent);
          about.textContent = choice ? said(open, choice) : "";
          path.textContent = open.layer.name;
          const picture = pictureOf(source, scene, state, open, theme);
          lines.draw(picture, state, (layout.beside ? DETAIL : Math.min(frame.width(), 800)) - 32);
          handOver.draw(open.layer.index, open.head);
          // Below a tall grid nobody would see that something has opened.
          const { top } = detail.getBoundingClientRect();
          if (reveal && !layout.beside && top + GLIMPSE > innerHeight) detail.scrollIntoView({ block: "nearest" });
          reveal = false;
          parts.push(massNote(picture.edges, state));
        }
        footer.draw({ theme, ...legendOf(scene, layout, theme), note: parts.join(" · ") });
        return scene;
      },
    };
  },
  figure(source, state, { theme, width }) {
    const scene = modelScene(source, state);
    const layout = layoutOf(scene, width);
    const { open } = scene;
    const picture = open && pictureOf(source, scene, state, open, theme);
    const room = layout.beside ? DETAIL : 600;
    const lines = picture && linesPlot(picture, state, room, estimatedWidth);
    const grid = gridWidth(layout);
    const wide = lines ? (layout.beside ? grid + GAP + lines.width : Math.max(grid, lines.width)) : grid;
    const { choice } = scene;
    const title = open ? `Layer ${open.layer.index}, head ${open.head}` : "All heads";
    const sheet = new Sheet(theme, Math.max(420, wide), `Model view, ${title}`);
    const what = open && choice ? said(open, choice) : "";
    drawHeader(sheet, source.payload, state, { title, what });
    const top = sheet.y;
    drawGrid(sheet, scene, layout, source);
    if (lines) {
      const below = sheet.y;
      sheet.y = layout.beside ? top : below + GAP;
      sheet.aside(layout.beside ? grid + GAP : 0, () => drawLines(sheet, lines));
      sheet.y = Math.max(sheet.y, below);
    }
    const note = picture ? massNote(picture.edges, state) : "";
    drawFooter(sheet, { ...legendOf(scene, layout, theme), note });
    return sheet;
  },
};

/**
 * An opened cell's lines.
 * @param {Source} source
 * @param {ReturnType<typeof modelScene>} scene
 * @param {State} state
 * @param {Cell} open
 * @param {Theme} theme
 */
function pictureOf(source, { block, queries, keys, edgesOfCell, depthOf }, state, { layer, head }, theme) {
  const weights = source.weights(layer);
  const edges = edgesOfCell(layer, head, true);
  const heads = slotsOf(weights, [head]);
  return {
    ...{ block, weights, edges, heads, queries, keys },
    text: { query: tokensOf(block, "query").text, key: tokensOf(block, "key").text },
    colors: slotColors({ heads, signs: edges.signs }, () => theme.layer(depthOf(layer)), theme),
    name: JSON.stringify([state.block, state.pair, layer.index, head]),
  };
}

/**
 * @param {ReturnType<typeof modelScene>} shown
 * @param {import("../parts/grid.js").Layout} layout
 * @param {Theme} theme
 */
function legendOf({ choice, range, difference, strength, open, gain }, { form, tiles }, theme) {
  const root = form === "matrix" ? "√" : "";
  const lines = open ? `, lines |b − a| · ${gain.toFixed(1)}` : "";
  const signed = difference && !tiles ? differenceLegend(`opacity: ${root}|b − a|${lines}`) : {};
  if (!choice) return difference ? signed : { legend: root ? "√ weight" : "weight" };
  if (!range) return { legend: `${choice.label}: no head has a number`, colors: [theme.surface] };
  const { diverging } = choice;
  const stops = [0, 0.25, 0.5, 0.75, 1];
  return {
    ...signed,
    legend: diverging ? `${choice.label}, below zero · above` : choice.label,
    smallest: written(range[0], 2, diverging),
    largest: written(range[1], 2, diverging),
    colors: stops.map((f) => colorOf(choice, diverging ? 2 * f - 1 : f, theme, strength(tiles))),
  };
}

/** @param {import("../data/measures.js").Choice} choice */
function asOption({ name, label }) {
  return { value: name, text: label };
}
