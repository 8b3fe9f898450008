// The neuron view: how one head computes its attention. Open, it shows for the selected query
// q → k → q × k → score → softmax; closed, the head's lines.

import { format } from "d3-format";
import { select } from "d3-selection";
import { attend, attendAll, keysOf, queryOf } from "./attention.js";
import {
  add,
  addMark,
  addSelect,
  addSourceSelects,
  addTokenColumn,
  addTooltip,
  columnWidth,
  describeToken,
  exactWeight,
  headsOf,
  option,
  place,
  ROW,
  shortWeight,
} from "./controls.js";
import { addFooter } from "./footer.js";
import { edgesOf } from "./edges.js";
import { massNote } from "./head_view.js";
import { addLines } from "./lines.js";
import { paintBars, paintElbows, paintRungs, paintStripes } from "./marks.js";
import { tokensOf } from "./payload.js";
import { selectionHandlers } from "./selection.js";
import { addStage } from "./stage.js";
import { positionsOf } from "./state.js";
import { contributions, ranked, without } from "./whatif.js";

/** @typedef {import("./payload.js").Source} Source */
/** @typedef {import("./payload.js").Neurons} Neurons */
/** @typedef {import("./payload.js").Weights} Weights */
/** @typedef {import("./state.js").State} State */

const oneDigit = format("+.1f"); // d3-format writes a real minus sign
/** @param {number} value */
const signed = (value) => (Math.abs(value) < 0.05 ? "0.0" : oneDigit(value));
const exact = format("+.4f");
const LISTED = 1 / 512; // weights below this change no pixel of the closed view

/**
 * @param {number} score
 */
const shortScore = (score) => (score === -Infinity ? "masked" : signed(score));

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
    queries: positionsOf(block, "query", state.pair),
    keys: positionsOf(block, "key", state.pair),
    query: state.query,
    key: state.key,
    shape: { query: neurons.queryCount, key: neurons.keyCount, headDim: neurons.headDim },
    /** The key head, and which heads use it, where heads share keys. */
    sharing: sharingOf(neurons, slot),
  };
  const query = state.query ?? 0;
  const row = attend(neurons, slot, query);
  const contribution = contributions(row, neurons.headDim);
  const off = state.off ?? [];
  return {
    ...common,
    detail: Boolean(state.detail),
    row,
    /** What each neuron does for the selected query; neurons in the model's order. */
    contribution,
    /** Neurons from left to right. */
    order: state.sort === "contribution" ? ranked(contribution) : null,
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
  return { heads: [head], queries: queryCount, keys: keyCount, start, key, weight, hidden };
}

/** @param {Float32Array} values */
function largest(values) {
  let max = 0;
  for (const value of values) if (Math.abs(value) > max) max = Math.abs(value);
  return max;
}

/** @type {import("./shell.js").View} */
export const neuronView = {
  keys: ["detail", "off", "sort"],
  reads: "neurons",
  start: () => ({ detail: true, off: [], sort: "model" }),
  needs: (source, state) => [source.layer(state.block, state.layer)],
  create(frame) {
    const { root, source } = frame;
    const toolbar = add(root, "toolbar");
    const selects = addSourceSelects(toolbar, frame, { layer: true });
    const head = addSelect(toolbar, "head", "Head", (value) => frame.set({ heads: [Number(value)] }));
    const layerSelect = toolbar.querySelector('select[name="layer"]')?.parentElement;
    layerSelect?.after(head.element);
    const sort = addSelect(toolbar, "sort", "Neurons", (value) =>
      frame.set({ sort: /** @type {"model" | "contribution"} */ (value) }),
    );
    const top = addSelect(toolbar, "top", "Keep", (value) => {
      if (!scene || value === "some") return;
      const kept = ranked(scene.contribution).slice(0, Number(value));
      const all = Array.from(scene.contribution.keys());
      frame.set({ off: all.filter((n) => !kept.includes(n)) });
    });
    addMark(toolbar, source.payload.model);

    // Only one of the two is in the page at a time.
    const open = add(root, "open");
    const closed = add(root, "closed");
    const headings = add(open, "headings columns");
    const toggle = addToggle(frame);
    const titles = add(headings, "titles");
    const stage = addStage(open, frame.redraw);
    const tooltip = addTooltip(root);
    const selection = selectionHandlers(frame, stage, {
      explain(side, position, event) {
        if (event) tooltip.show(tokenText(side, position), event.clientX, event.clientY);
        else tooltip.hide();
      },
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
    /** @type {{name: string, weights: Weights} | null} the closed view's head */
    let kept = null;
    /** @type {{name: string, x: number, width: number}[]} where the stripes are */
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
      const { block, neurons, columns, contribution } = scene;
      const values = { q: columns.queries, k: columns.keys, "q×k·scale": columns.products }[stripe.name];
      const value = /** @type {Float32Array} */ (values)[position * neurons.headDim + neuron];
      const off = frame.state().off?.includes(neuron);
      return [
        `neuron ${neuron} of ${tokensOf(block, side).text[position]}`,
        `${stripe.name} = ${exact(value)}`,
        `contribution to the row ${exact(contribution[neuron])}`,
        off ? "off: click switches it on" : "click switches it off",
      ].join("\n");
    }

    /** @param {State} state */
    function drawOpen(state) {
      const theme = frame.theme();
      const now = /** @type {NonNullable<typeof scene>} */ (scene);
      const { block, neurons, columns, row, queries, keys, shape } = now;
      const biased = row.bias.some((value) => value !== 0 && value !== -Infinity);
      const selected = /** @type {number} */ (state.query);

      // Fixed columns first; the three stripes share what is left.
      const width = frame.width();
      const texts = { query: tokensOf(block, "query").text, key: tokensOf(block, "key").text };
      const queryWidth = columnWidth(texts.query, 108, frame.width() < 960 ? 120 : 150);
      const keyWidth = columnWidth(texts.key, 72, 150);
      // A narrow notebook has room for all columns too, if they move together.
      const narrow = width < 960;
      const [elbow, rung, score, softmax] = narrow ? [36, 16, 96, 104] : [56, 28, 112, 138];
      const bias = biased ? 56 : 0;
      const fixed = queryWidth + 12 + elbow + 2 * rung + bias + score + 12 + keyWidth + softmax;
      const least = Math.max(narrow ? 56 : 72, 1.5 * shape.headDim);
      const stripe = Math.floor(
        Math.min(Math.max((width - fixed) / 3, least), Math.max(96, 7 * shape.headDim)),
      );
      let at = queryWidth + 12;
      const x = { q: at, k: 0, products: 0, bias: 0, score: 0, key: 0, softmax: 0 };
      x.k = x.q + stripe + elbow;
      x.products = x.k + stripe + rung;
      x.bias = x.products + stripe + rung;
      x.score = x.bias + bias;
      x.key = x.score + score + 12;
      x.softmax = x.key + keyWidth;
      at = x.softmax + softmax;
      stripes = [
        { name: "q", x: x.q, width: stripe },
        { name: "k", x: x.k, width: stripe },
        { name: "q×k·scale", x: x.products, width: stripe },
      ];

      const view = stage.prepare(at, Math.max(queries.length, keys.length));
      const { geometry } = view;
      const rows = { query: view.rows(queries.length), key: view.rows(keys.length) };
      const max = {
        q: largest(columns.queries),
        k: largest(columns.keys),
        products: largest(columns.products),
      };
      const shownScores = now.whatIf?.scores ?? columns.scores;
      const shownWeights = now.whatIf?.weights ?? row.weights;
      const finite = (/** @type {Float32Array} */ values) => values.filter((v) => Number.isFinite(v));
      const reach = Math.max(largest(finite(columns.scores)), largest(finite(shownScores))) || 1;
      const scoreX = (/** @type {number} */ score) => x.score + 32 + ((narrow ? 22 : 28) * score) / reach;
      const weightX = (/** @type {number} */ weight) => x.softmax + (softmax - 52) * weight;
      const strengths = Array.from(keys, (position) => shownWeights[position]);
      const queryRow = queries.indexOf(selected);

      const picture = JSON.stringify([state.block, state.layer, state.heads, state.pair, theme.mode, selected, state.key, state.off, state.sort]);
      view.paint(0, picture, (context) => {
        const off = new Set(state.off);
        const order = now.order ?? undefined;
        const common = { geometry, headDim: shape.headDim, width: stripe, theme, order, off };
        paintStripes(context, columns.queries, {
          ...common,
          positions: queries,
          rows: rows.query,
          x: x.q,
          max: max.q,
          fade: (position) => (position === selected ? 1 : 0.4),
        });
        const keyed = { ...common, positions: keys, rows: rows.key };
        paintStripes(context, columns.keys, { ...keyed, x: x.k, max: max.k });
        paintStripes(context, columns.products, { ...keyed, x: x.products, max: max.products });
        context.strokeStyle = theme.accent;
        context.lineWidth = 1.5;
        context.beginPath();
        context.roundRect(x.q - 4, queryRow * ROW + 1, stripe + 8, ROW - 2, 4);
        context.stroke();

        const rungs = { geometry, rows: rows.key, color: theme.accent };
        paintElbows(context, strengths, { ...rungs, from: queryRow, x0: x.q + stripe + 4, x1: x.k - 4 });
        paintRungs(context, strengths, { ...rungs, x0: x.k + stripe + 4, x1: x.products - 4 });
        paintRungs(context, strengths, { ...rungs, x0: x.products + stripe + 4, x1: x.bias - 4 });

        const bars = { geometry, positions: keys, rows: rows.key, theme };
        if (now.whatIf) {
          // The true ones stay, thin and pale, above what would be.
          const past = { inset: /** @type {[number, number]} */ ([4, 15]), strength: 0.45 };
          const would = { inset: /** @type {[number, number]} */ ([11, 4]) };
          paintBars(context, row.scores, { ...bars, ...past, x: scoreX });
          paintBars(context, row.weights, { ...bars, ...past, x: weightX });
          paintBars(context, now.whatIf.scores, { ...bars, ...would, x: scoreX });
          paintBars(context, now.whatIf.weights, { ...bars, ...would, x: weightX });
        } else {
          paintBars(context, row.scores, { ...bars, x: scoreX });
          paintBars(context, row.weights, { ...bars, x: weightX });
        }
        context.fillStyle = theme.hairline;
        context.fillRect(scoreX(0) - 0.5, geometry.top, 1, geometry.height);
      });
      view.paint(1, "", null);

      place(query.element, 0, queryWidth);
      place(key.element, x.key, keyWidth);
      query.draw({ tokens: tokensOf(block, "query"), positions: queries, rows: rows.query, selected, className: () => "dim" });
      const best = strengths.indexOf(Math.max(...strengths));
      key.draw({
        tokens: tokensOf(block, "key"),
        positions: keys,
        rows: rows.key,
        selected: state.key,
        className: (position) => (position === keys[best] ? "strong" : ""),
      });

      /** @type {{r: number, x: number, width: number, text: string, strength: number, end: boolean}[]} */
      const told = [];
      for (let r = rows.key[0]; r < rows.key[1]; r++) {
        const position = keys[r];
        const weight = shownWeights[position];
        const masked = row.scores[position] === -Infinity;
        if (biased) {
          const text = masked ? "" : signed(row.bias[position]);
          told.push({ r, x: x.bias, width: bias - 8, text, strength: 0.75, end: true });
        }
        told.push({ r, x: x.score + 62, width: score - 62, text: shortScore(shownScores[position]), strength: masked ? 0.5 : 0.75, end: true });
        if (!masked) told.push({ r, x: Math.max(weightX(weight), weightX(row.weights[position])) + 8, width: 40, text: weight.toFixed(2), strength: 0.6 + 0.4 * Math.min(1, 4 * weight), end: false });
      }
      drawNumbers(told);
      drawTitles([
        { x: 30, width: queryWidth - 30, title: "", note: "query token" },
        { x: x.q, width: stripe, title: "query q", note: `${shape.headDim} neurons` },
        { x: x.k, width: stripe, title: "key k", note: keyNote(now) },
        {
          x: x.products,
          width: stripe + rung - 8,
          title: narrow ? "q × k" : `q × k · ${format(".3~g")(neurons.scaling)}`,
          note: narrow ? `· ${format(".3~g")(neurons.scaling)}` : "each neuron’s share",
        },
        ...(biased ? [{ x: x.bias + 8, width: bias - 8, title: "bias", note: "added" }] : []),
        { x: x.score + 4, width: score, title: "score", note: scoreNote(now, biased) },
        { x: x.key + 8, width: keyWidth + softmax - 8, title: "softmax", note: "attention to the key token" },
      ]);
      notes.textContent = notesOf(now, state);
      footer.draw({
        theme,
        signed: now.whatIf ? "pale: true, full: without" : `full strength: |q| ${max.q.toFixed(2)}, |k| ${max.k.toFixed(2)}, |q × k · scale| ${max.products.toFixed(2)}`,
        note: "",
      });
      spoken.textContent = state.locked ? sentence(now, strengths) : "";
    }

    /** @param {State} state */
    function drawClosed(state) {
      const theme = frame.theme();
      const now = /** @type {NonNullable<typeof scene>} */ (scene);
      const { block, layer, neurons, queries, keys, head: only } = now;
      const name = `${state.block} ${layer.index} ${only}`;
      if (kept?.name !== name) kept = { name, weights: headWeights(neurons, only) };
      const { weights } = kept;
      const { query, key } = state;
      const edges = edgesOf(weights, { heads: [only], queries, keys, query, key });
      scene = Object.assign(Object.create(edges), now);
      const picture = { block, weights, edges, heads: [only], queries, keys };
      const colors = [theme.accent];
      lines.draw({ ...picture, colors, name: `${name} ${state.pair}` }, state, frame.width());
      footer.draw({ theme, legend: "weight", note: massNote(edges, state) });
    }

    /** @param {{r: number, x: number, width: number, text: string, strength: number, end: boolean}[]} told */
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

    /** @param {{x: number, width: number, title: string, note: string}[]} columns */
    function drawTitles(columns) {
      const left = -stage.element.scrollLeft;
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
        sort.draw([option("model", "in the model’s order"), option("contribution", "by contribution")], state.sort ?? "model");
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
        if (other.isConnected) other.replaceWith(shown);
        toggle.draw(state.detail ? headings : closedHeadings, Boolean(state.detail));
        if (state.detail) drawOpen(state);
        else drawClosed(state);
        return /** @type {object} */ (scene);
      },
    };
  },
};

/**
 * ⊕ and ⊖, always in sight.
 * @param {import("./shell.js").Frame} frame
 */
function addToggle(frame) {
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

/** @param {ReturnType<typeof neuronScene>} scene */
function keyNote({ shape, sharing }) {
  if (!sharing) return `${shape.headDim} neurons`;
  return `shared by heads ${sharing[0]}–${sharing[sharing.length - 1]}`;
}

/**
 * @param {ReturnType<typeof neuronScene>} scene
 * @param {boolean} biased
 */
function scoreNote({ neurons }, biased) {
  const sum = neurons.softcap ? `softcap ${neurons.softcap}` : "Σ of the row";
  return biased ? `${sum} + bias` : sum;
}

/**
 * What the columns alone do not say.
 * @param {ReturnType<typeof neuronScene>} scene
 * @param {State} state
 */
function notesOf({ row, keys, neurons, whatIf }, state) {
  const parts = [];
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
