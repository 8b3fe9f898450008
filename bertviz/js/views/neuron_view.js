// The neuron view: how one head computes its attention. Open, it shows for the selected query
// q → k → q × k → score → softmax; closed, the head's lines.

import { format } from "d3-format";
import { select } from "d3-selection";
import { attend, attendAll, keysOf, queryOf } from "../data/attention.js";
import { columnsPlot, drawColumns, shortScore, STRIP } from "../parts/columns.js";
import { add, place } from "../controls/dom.js";
import { headsOf } from "../controls/head_squares.js";
import { addMark } from "../controls/mark.js";
import { addSave } from "../controls/save.js";
import { addSelect, option } from "../controls/selects.js";
import { addSourceSelects } from "../controls/source_selects.js";
import { addTokenColumn } from "../controls/token_column.js";
import { measuredWidth } from "../controls/text_width.js";
import { addTooltip } from "../controls/tooltip.js";
import { exactWeight, shortWeight } from "../data/formats.js";
import { ROW } from "../parts/token_columns.js";
import { describeToken } from "../scenes/token_texts.js";
import { edgesOf } from "../data/edges.js";
import { addFooter } from "../controls/footer.js";
import { drawFooter } from "../svg/footer.js";
import { massNote } from "../scenes/legends.js";
import { drawHeader } from "../svg/header.js";
import { addLines } from "../controls/lines.js";
import { linesPlot } from "../parts/lines.js";
import { drawLines } from "../svg/lines.js";
import { sized } from "../paint/marks.js";
import { tokensOf } from "../data/payload.js";
import { selectionHandlers } from "../controls/selection.js";
import { addStage } from "../controls/stage.js";
import { explanationOf, positionsOf } from "../state.js";
import { estimatedWidth, Sheet } from "../svg/sheet.js";
import { contributions, ranked, without } from "../data/what_if.js";

/** @typedef {import("../parts/columns.js").ColumnsPlot} ColumnsPlot */
/** @typedef {import("../data/payload.js").Source} Source */
/** @typedef {import("../data/payload.js").Neurons} Neurons */
/** @typedef {import("../data/payload.js").Weights} Weights */
/** @typedef {import("../state.js").State} State */

const exact = format("+.4f");
const LISTED = 1 / 512; // weights below this change no pixel of the closed view

/**
 * The picture of a state, as data. Columns hold all keys of the head in the model's order, also
 * under a filter, so that they add up; queryRows and keyRows say which are drawn.
 * @param {Source} source
 * @param {State} state
 */
export function neuronScene(source, state) {
  const block = source.block(state.block);
  const layer = source.layer(state.block, state.layer);
  const neurons = source.neurons(layer);
  const head = state.heads[0];
  const slot = neurons.heads.indexOf(head);
  const common = {
    view: "neuron",
    block,
    layer,
    neurons,
    head,
    heads: [head],
    queries: positionsOf(block, "query", state),
    keys: positionsOf(block, "key", state),
    query: state.query,
    key: state.key,
    shape: { query: neurons.queryCount, key: neurons.keyCount, headDim: neurons.headDim },
    /** The key head, and which heads use it, where heads share keys. */
    sharing: sharingOf(neurons, slot),
  };
  const query = state.query ?? 0;
  const row = attend(neurons, slot, query);
  const explanation = state.sort === "explanation" ? explanationOf(source.payload, state) : null;
  const contribution = explanation
    ? Float32Array.from(explanation.contributions)
    : contributions(row, neurons.headDim);
  const off = state.off ?? [];
  return {
    ...common,
    detail: Boolean(state.detail),
    row,
    /** What each neuron does for the selected query, or for all of them where that is explained;
     * neurons in the model's order. */
    contribution,
    explanation,
    /** Neurons from left to right. */
    order: state.sort === "model" || !state.sort ? null : ranked(contribution),
    /** Scores and weights without the neurons that are off, if there are any. */
    whatIf: off.length ? without(neurons, slot, query, row, off) : null,
    columns: {
      queries: queryOf(neurons, slot),
      keys: keysOf(neurons, slot),
      products: row.products,
      scores: row.scores,
      bias: row.bias,
      weights: row.weights,
    },
  };
}

/**
 * @param {Neurons} neurons
 * @param {number} slot
 */
function sharingOf(neurons, slot) {
  const heads = neurons.heads.filter((_, s) => neurons.keyHead[s] === neurons.keyHead[slot]);
  return heads.length > 1 ? heads : null;
}

/**
 * The weights of one head in the form that lines are drawn from.
 * @param {Neurons} neurons
 * @param {number} head
 * @returns {Weights}
 */
export function headWeights(neurons, head) {
  const known = closedHead.get(neurons);
  if (known?.heads[0] === head) return known;
  const { queryCount, keyCount } = neurons;
  const dense = attendAll(neurons, neurons.heads.indexOf(head));
  let listed = 0;
  for (const weight of dense) if (weight >= LISTED) listed++;
  const start = new Uint32Array(queryCount + 1);
  const key = new Uint16Array(listed);
  const weight = new Float32Array(listed);
  const hidden = new Float32Array(queryCount);
  let n = 0;
  for (let query = 0, i = 0; query < queryCount; query++) {
    for (let k = 0; k < keyCount; k++, i++) {
      if (dense[i] >= LISTED) {
        key[n] = k;
        weight[n++] = dense[i];
      } else {
        hidden[query] += dense[i];
      }
    }
    start[query + 1] = n;
  }
  const weights = { heads: [head], queries: queryCount, keys: keyCount, start, key, weight, hidden };
  closedHead.set(neurons, weights);
  return weights;
}

/** @type {WeakMap<Neurons, Weights>} the head that was last asked for */
const closedHead = new WeakMap();

/** @type {import("../shell.js").View} */
export const neuronView = {
  keys: ["detail", "off", "sort"],
  reads: "neurons",
  start: ({ explanation }) => ({ detail: true, off: [], sort: explanation ? "explanation" : "model" }),
  needs: (source, state) => [source.layer(state.block, state.layer)],
  create(frame) {
    const { root, source } = frame;
    const toolbar = add(root, "toolbar");
    const selects = addSourceSelects(toolbar, frame, { layer: true });
    const head = addSelect(toolbar, "head", "Head", (value) => frame.set({ heads: [Number(value)] }));
    const layerSelect = toolbar.querySelector('select[name="layer"]')?.parentElement;
    layerSelect?.after(head.element);
    const sort = addSelect(toolbar, "sort", "Neurons", (value) =>
      frame.set({ sort: /** @type {State["sort"]} */ (value) }),
    );
    const top = addSelect(toolbar, "top", "Keep", (value) => {
      if (!scene || value === "some") return;
      const kept = ranked(scene.contribution).slice(0, Number(value));
      const all = Array.from(scene.contribution.keys());
      frame.set({ off: all.filter((n) => !kept.includes(n)) });
    });
    addSave(toolbar, frame);
    addMark(toolbar, source.payload.model);

    // Only one of the two is in the page at a time.
    const open = add(root, "open");
    const closed = add(root, "closed");
    const headings = add(open, "headings columns");
    const toggle = addDetailButton(frame);
    const titles = add(headings, "titles");
    const ticks = add(headings, "ticks");
    const strip = /** @type {HTMLCanvasElement} */ (add(headings, "strip", "canvas"));
    const stripName = add(headings, "strip-name", "span");
    const stage = addStage(open, frame.redraw);
    const tooltip = addTooltip(root);
    const selection = selectionHandlers(frame, stage, {
      explain(side, position, event) {
        if (event) tooltip.show(tokenText(side, position), event.clientX, event.clientY);
        else tooltip.hide();
      },
      rowOf: (side, position) => scene?.[side === "query" ? "queries" : "keys"].indexOf(position) ?? 0,
    });
    const query = addTokenColumn(stage.sheet, "query", selection.on("query"));
    const key = addTokenColumn(stage.sheet, "key", selection.on("key"));
    selection.columns({ query, key });
    const numbers = add(stage.sheet, "numbers");
    const notes = add(open, "notes");
    const spoken = add(open, "sr");
    spoken.setAttribute("aria-live", "polite");
    const lines = addLines(closed, frame);
    const closedHeadings = /** @type {HTMLElement} */ (closed.querySelector(".headings"));
    const footer = addFooter(root, "click locks a token, switches a neuron · Esc clears · ↑ ↓ moves");

    /** @type {ReturnType<typeof neuronScene> | null} */
    let scene = null;
    /** @type {ColumnsPlot["stripes"]} */
    let stripes = [];

    /**
     * @param {"query" | "key"} side
     * @param {number} position
     */
    function tokenText(side, position) {
      const state = frame.state();
      const block = source.block(state.block);
      const own = describeToken(tokensOf(block, side), position);
      if (!scene || side === "query" || state.query === null) return own;
      const { row } = scene;
      const query = tokensOf(block, "query").text[state.query];
      const parts = [`${query} → ${own}`, `Σ q×k·scale  ${exact(row.sums[position])}`];
      if (row.bias[position]) parts.push(`bias  ${shortScore(row.bias[position])}`);
      parts.push(`score  ${row.scores[position] === -Infinity ? "masked" : exact(row.scores[position])}`);
      parts.push(`softmax  ${exactWeight(row.weights[position])}`);
      if (scene.whatIf) {
        const { scores, weights, off } = scene.whatIf;
        const score = scores[position] === -Infinity ? "masked" : exact(scores[position]);
        parts.push(`without ${off.length} neurons: ${score}, softmax ${exactWeight(weights[position])}`);
      }
      return parts.join("\n");
    }

    // Which neuron, and its value: the pointer over a stripe.
    stage.sheet.addEventListener("pointermove", (event) => {
      if (/** @type {Element} */ (event.target).closest("[data-token]")) return;
      const text = scene?.detail ? neuronText(scene, event) : null;
      if (text) tooltip.show(text, event.clientX, event.clientY);
      else tooltip.hide();
    });
    stage.sheet.addEventListener("pointerleave", () => tooltip.hide());
    // What if: a click on a neuron switches it off or on.
    stage.sheet.addEventListener("click", (event) => {
      if (!scene?.detail || /** @type {Element} */ (event.target).closest("[data-token]")) return;
      const found = neuronAt(scene, event);
      if (!found) return;
      const { off = [] } = frame.state();
      const next = off.includes(found.neuron)
        ? off.filter((n) => n !== found.neuron)
        : [...off, found.neuron];
      frame.set({ off: next });
    });

    /**
     * @param {NonNullable<typeof scene>} scene
     * @param {MouseEvent} event
     */
    function neuronAt({ neurons, order, queries, keys }, event) {
      const around = stage.sheet.getBoundingClientRect();
      const x = event.clientX - around.left;
      const r = Math.floor((event.clientY - around.top) / ROW);
      const stripe = stripes.find((s) => x >= s.x && x < s.x + s.width);
      if (!stripe) return null;
      const side = /** @type {"query" | "key"} */ (stripe.name === "q" ? "query" : "key");
      const position = (side === "query" ? queries : keys)[r];
      if (position === undefined) return null;
      const column = Math.floor(((x - stripe.x) / stripe.width) * neurons.headDim);
      return { stripe, side, position, neuron: order ? order[column] : column };
    }

    /**
     * @param {NonNullable<typeof scene>} scene
     * @param {PointerEvent} event
     */
    function neuronText(scene, event) {
      const found = neuronAt(scene, event);
      if (!found) return null;
      const { stripe, side, position, neuron } = found;
      const { block, neurons, columns, contribution, explanation } = scene;
      const values = { q: columns.queries, k: columns.keys, "q×k·scale": columns.products }[stripe.name];
      const value = /** @type {Float32Array} */ (values)[position * neurons.headDim + neuron];
      const off = frame.state().off?.includes(neuron);
      return [
        `neuron ${neuron} of ${tokensOf(block, side).text[position]}`,
        `${stripe.name} = ${exact(value)}`,
        `contribution to ${explanation ? explanation.what : "the row"} ${exact(contribution[neuron])}`,
        off ? "off: click switches it on" : "click switches it off",
      ].join("\n");
    }

    /** @param {State} state */
    function drawOpen(state) {
      const theme = frame.theme();
      const now = /** @type {NonNullable<typeof scene>} */ (scene);
      const { block, queries, keys } = now;
      const plot = columnsPlot(now, state, frame.width(), theme, measuredWidth);
      stripes = plot.stripes;
      const view = stage.prepare(plot.width, plot.rows);
      const rows = { query: view.rows(queries.length), key: view.rows(keys.length) };
      const picture = JSON.stringify([state.block, state.layer, state.heads, state.pair, theme.mode, state.query, state.off, state.sort]);
      view.paint(0, picture, (context) => plot.paint(context, view.geometry, rows));
      view.paint(1, "", null);

      const tokens = { query: tokensOf(block, "query"), key: tokensOf(block, "key") };
      place(query.element, 0, plot.queryWidth);
      place(key.element, plot.x.key, plot.keyWidth);
      query.draw({ text: tokens.query.text, positions: queries, rows: rows.query, selected: state.query, className: () => "dim" });
      key.draw({
        text: tokens.key.text,
        positions: keys,
        rows: rows.key,
        selected: state.key,
        className: (position) => (position === plot.best ? "strong" : ""),
      });
      drawNumbers(plot.numbers(rows.key));
      drawTitles(plot.titles, plot.ticks);
      const left = -stage.element.scrollLeft;
      plot.paintStrip(sized(strip, plot.strip.width, STRIP));
      strip.style.left = `${plot.strip.x + left}px`;
      stripName.textContent = plot.strip.name;
      place(stripName, plot.strip.x - plot.strip.room - 6 + left, plot.strip.room);
      notes.textContent = notesOf(now, state);
      footer.draw({ theme, ...plot.legend });
      spoken.textContent = state.locked ? sentence(now, plot.strengths) : "";
    }

    /** @param {State} state */
    function drawClosed(state) {
      const theme = frame.theme();
      const picture = closedPicture(/** @type {NonNullable<typeof scene>} */ (scene), state, theme);
      scene = Object.assign(Object.create(picture.edges), scene);
      lines.draw(picture, state, frame.width());
      footer.draw({ theme, legend: "weight", note: massNote(picture.edges, state) });
    }

    /** @param {ReturnType<ColumnsPlot["numbers"]>} told */
    function drawNumbers(told) {
      select(numbers)
        .selectAll("span")
        .data(told)
        .join("span")
        .attr("class", "number")
        .style("top", (d) => `${d.r * ROW}px`)
        .style("left", (d) => `${d.x}px`)
        .style("width", (d) => `${d.width}px`)
        .style("text-align", (d) => (d.end ? "right" : "left"))
        .style("opacity", (d) => d.strength)
        .text((d) => d.text);
    }

    /**
     * @param {ColumnsPlot["titles"]} columns
     * @param {ColumnsPlot["ticks"]} numbered
     */
    function drawTitles(columns, numbered) {
      const left = -stage.element.scrollLeft;
      select(ticks)
        .selectAll("span")
        .data(numbered)
        .join("span")
        .style("left", (d) => `${d.x + left}px`)
        .text((d) => d.text);
      toggle.element.style.left = `${8 + left}px`;
      select(titles)
        .selectAll("div")
        .data(columns)
        .join("div")
        .style("left", (d) => `${d.x + left}px`)
        .style("width", (d) => `${d.width}px`)
        .html("")
        .each(function (d) {
          add(/** @type {HTMLElement} */ (this), "", "b").textContent = d.title;
          add(/** @type {HTMLElement} */ (this), "", "span").textContent = d.note;
        });
    }

    return {
      draw(state) {
        scene = neuronScene(source, state);
        selects.draw();
        head.draw(headsOf(frame).map((h) => option(h)), String(state.heads[0]));
        const { headDim } = scene.neurons;
        sort.element.hidden = top.element.hidden = !state.detail;
        const explained = explanationOf(source.payload, state);
        sort.draw(
          [
            option("model", "in the model’s order"),
            option("contribution", "by contribution"),
            ...(explained ? [option("explanation", `by contribution to: ${explained.what}`)] : []),
          ],
          state.sort ?? "model",
        );
        const some = state.off?.length ?? 0;
        const steps = [1, 2, 4, 8, 16, 32, 64, 128].filter((m) => m < headDim);
        const kept = some && ranked(scene.contribution).slice(headDim - some).every((n) => state.off?.includes(n));
        const choice = !some ? headDim : kept && steps.includes(headDim - some) ? headDim - some : "some";
        top.draw(
          [
            option(headDim, `all ${headDim} neurons`),
            ...steps.toReversed().map((m) => option(m, `the top ${m}`)),
            ...(choice === "some" ? [option("some", `${headDim - some} of ${headDim}`)] : []),
          ],
          String(choice),
        );
        const [shown, other] = state.detail ? [open, closed] : [closed, open];
        // Both are in the page while the button moves, or it would lose the focus.
        if (other.isConnected) other.before(shown);
        toggle.draw(state.detail ? headings : closedHeadings, Boolean(state.detail));
        other.remove();
        if (state.detail) drawOpen(state);
        else drawClosed(state);
        return /** @type {object} */ (scene);
      },
    };
  },
  figure(source, state, { theme, width }) {
    const scene = neuronScene(source, state);
    const picture = state.detail ? null : closedPicture(scene, state, theme);
    const lines = picture && linesPlot(picture, state, width, estimatedWidth);
    const columns = lines ? null : columnsPlot(scene, state, width, theme, estimatedWidth);
    const title = `Layer ${state.layer}, head ${scene.head}`;
    const sheet = new Sheet(theme, Math.max(420, (lines ?? columns)?.width ?? 0), `Neuron view, ${title}`);
    drawHeader(sheet, source.payload, state, { title });
    if (lines && picture) {
      drawLines(sheet, lines);
      drawFooter(sheet, { legend: "weight", note: massNote(picture.edges, state) });
    } else if (columns) {
      drawColumns(sheet, columns);
      drawFooter(sheet, { ...columns.legend, note: notesOf(scene, state) });
    }
    return sheet;
  },
};

/**
 * The head as lines, as the closed view shows it.
 * @param {ReturnType<typeof neuronScene>} scene
 * @param {State} state
 * @param {import("../theme/theme.js").Theme} theme
 */
function closedPicture({ block, layer, neurons, queries, keys, head }, state, theme) {
  const weights = headWeights(neurons, head);
  const { query, key, also } = state;
  const edges = edgesOf(weights, { heads: [head], queries, keys, query, key, also });
  const text = { query: tokensOf(block, "query").text, key: tokensOf(block, "key").text };
  const name = `${state.block} ${layer.index} ${head} ${state.pair}`;
  return { block, weights, edges, heads: [head], queries, keys, text, colors: [theme.accent], name };
}

/**
 * ⊕ and ⊖, always in sight.
 * @param {import("../shell.js").Frame} frame
 */
function addDetailButton(frame) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "toggle";
  button.dataset.action = "detail";
  button.addEventListener("click", () => frame.set({ detail: !frame.state().detail }));
  return {
    element: button,
    /**
     * @param {HTMLElement} parent
     * @param {boolean} open
     */
    draw(parent, open) {
      if (button.parentElement !== parent) {
        const focused = button.matches(":focus");
        parent.prepend(button);
        if (focused) button.focus();
      }
      button.style.left = "8px";
      button.textContent = open ? "−" : "+";
      button.title = open ? "Hide the computation" : "Show the computation";
      button.setAttribute("aria-label", button.title);
      button.setAttribute("aria-expanded", String(open));
    },
  };
}

/**
 * What the columns alone do not say.
 * @param {ReturnType<typeof neuronScene>} scene
 * @param {State} state
 */
function notesOf({ row, keys, neurons, whatIf, sharing }, state) {
  const parts = [];
  if (neurons.rotary) {
    parts.push("q and k are shown after their rotation by position (rotary embedding), as they enter the product.");
  }
  if (sharing) {
    parts.push(`Heads ${sharing[0]}–${sharing[sharing.length - 1]} share these keys; each has its own queries.`);
  }
  if (neurons.softcap) {
    parts.push(`Scores are capped: ${neurons.softcap} · tanh(Σ / ${neurons.softcap}).`);
  }
  if (whatIf) {
    const off = whatIf.off.length > 6 ? `${whatIf.off.length} neurons` : `neurons ${whatIf.off.join(", ")}`;
    parts.push(`Without ${off}, ${shortWeight(whatIf.moved)} of the row’s attention moves.`);
  }
  if (neurons.sinks) parts.push(`The head’s sink takes ${shortWeight(row.sink)} of this row.`);
  if (state.pair !== "All") {
    let inside = 0;
    for (const position of keys) inside += row.weights[position];
    const all = row.weights.reduce((a, b) => a + b, 0);
    parts.push(`${shortWeight(Math.max(0, all - inside))} of this row lies outside ${state.pair}.`);
  }
  return parts.join(" ");
}

/**
 * @param {ReturnType<typeof neuronScene>} scene
 * @param {number[]} strengths by row of keys
 */
function sentence({ block, keys, query }, strengths) {
  const { text } = tokensOf(block, "key");
  const best = Array.from(keys.keys())
    .sort((a, b) => strengths[b] - strengths[a])
    .slice(0, 3)
    .map((r) => `${text[keys[r]]} ${shortWeight(strengths[r])}`);
  return `${tokensOf(block, "query").text[/** @type {number} */ (query)]} attends to ${best.join(", ")}`;
}
