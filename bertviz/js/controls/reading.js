// The reading panel: the text as text, shaded by the weights, and a list of where the selected token
// looks most, with its numbers. A click on a word of the text locks it, a click on a line of the list
// brings its row into sight.

import { LISTED, readingOf, shadeOf } from "../parts/reading.js";
import { inText } from "../scenes/token_texts.js";
import { channels } from "../theme/colors.js";
import { add } from "./dom.js";
import { addModelMap } from "./model_map.js";
import { addRanks } from "./ranks.js";
import { addSearch } from "./search.js";
import { SETTLED } from "./stage.js";
import { addSwitch } from "./switches.js";

const LINE = 24;

/** @typedef {import("./frame.js").Frame} Frame */
/** @typedef {import("../scenes/picture.js").Picture} Picture */
/** @typedef {import("../scenes/shown_row.js").ShownRow} ShownRow */
/** @typedef {import("../state.js").State} State */
/** @typedef {import("../parts/reading.js").Reading} Reading */

/**
 * @param {HTMLElement} parent
 * @param {Frame} frame
 * @param {(row: number) => void} reveal brings a row of the picture into sight
 */
export function addReading(parent, frame, reveal) {
  return new ReadingPanel(parent, frame, reveal);
}

class ReadingPanel {
  #frame;
  #reveal;
  #title;
  #of;
  #search;
  #panels;
  #asText;
  #map;
  #text;
  #darkest;
  #listTitle;
  #list;
  #summary;
  /** @type {ShownRow | null} */
  #row = null;
  #flowing = "";
  /** @type {HTMLElement[]} a word for every row */
  #words = [];
  /** @type {string[]} what each word's ground is */
  #grounds = [];
  /** @type {HTMLElement[]} */
  #marked = [];
  #lockedAt = "";
  /** @type {number[]} where each word stands in its box */
  #tops = [];
  #width = 0;
  /** @type {(() => void) | null} shades what is out of sight */
  #shadeRest = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {HTMLElement} parent
   * @param {Frame} frame
   * @param {(row: number) => void} reveal
   */
  constructor(parent, frame, reveal) {
    this.#frame = frame;
    this.#reveal = reveal;
    this.element = add(parent, "reading");
    this.element.dataset.part = "reading";
    this.element.setAttribute("role", "group");
    this.element.setAttribute("aria-label", "Reading panel");
    const head = add(this.element, "line");
    this.#title = add(head, "heading", "b");
    this.#of = add(head, "aside", "span");
    const tools = add(this.element, "line");
    this.#search = addSearch(tools, frame, (row) => this.#choose(row));
    this.#panels = addSwitch(tools, "panel", ["text", "model"], (panel) =>
      frame.set({ panel: /** @type {"text" | "model"} */ (panel) }),
    );
    this.#asText = add(this.element, "as-text");
    this.#text = add(this.#asText, "text");
    this.#darkest = add(this.#asText, "aside end");
    this.#listTitle = add(this.#asText, "heading");
    this.#list = addRanks(this.#asText);
    this.#summary = add(this.#asText, "aside");
    this.#map = addModelMap(this.element, frame);
    this.#text.addEventListener("click", (event) => {
      const row = rowAt(event);
      if (row !== null) this.#choose(row);
    });
    this.#text.addEventListener("scroll", () => this.#shadeRest?.(), { passive: true });
    this.#list.element.addEventListener("click", (event) => {
      const row = rowAt(event);
      if (row === null) return;
      this.#goTo(row);
      this.#show(row);
      this.#mark([row]);
    });
  }

  /** Locks the token of a row, on the side that is being read from. @param {number} row */
  #choose(row) {
    if (!this.#row) return;
    const { side, positions } = this.#row;
    const position = positions[row];
    const { key: own } = this.#frame.source.block(this.#frame.state().block);
    // A word of a text of keys alone can only be a key; otherwise it stays on the selected side.
    const asKey = side === (own ? "key" : "query");
    this.#frame.set({
      ...(asKey ? { key: position, query: null } : { query: position, key: null }),
      locked: true,
    });
    this.#reveal(row);
  }

  /** A row of the picture; a matrix shows all of them, so there the pair. @param {number} row */
  #goTo(row) {
    if (!this.#row) return;
    const { side, positions, chosen } = this.#row;
    if (this.#frame.state().mode !== "matrix") this.#reveal(row);
    else if (chosen.length) {
      const pair = [chosen[0], positions[row]];
      const [query, key] = side === "key" ? pair : pair.reverse();
      this.#frame.set({ query, key, locked: true });
    }
  }

  /** Brings a word into sight, inside its box. @param {number} row */
  #show(row) {
    const word = this.#words[row];
    if (!word) return;
    const { offsetTop, offsetHeight } = word;
    const box = this.#text;
    if (offsetTop < box.scrollTop || offsetTop + offsetHeight > box.scrollTop + box.clientHeight) {
      box.scrollTop = offsetTop - box.clientHeight / 2;
    }
  }

  /** Outlines words, and no others. @param {number[]} rows */
  #mark(rows) {
    for (const word of this.#marked) word.classList.remove("found");
    this.#marked = rows.map((row) => this.#words[row]).filter(Boolean);
    for (const word of this.#marked) word.classList.add("found");
  }

  /**
   * @param {Picture} picture
   * @param {ShownRow} row
   * @param {State} state
   * @param {[number, number] | null} inSight rows of the picture; null if all are
   */
  draw(picture, row, state, inSight) {
    this.#row = row;
    const reading = readingOf(picture, row, state);
    const panel = state.panel ?? "text";
    this.#title.textContent = reading.title;
    this.#of.textContent = panel === "text" ? reading.of : "all heads";
    this.#panels.draw(panel);
    this.#asText.hidden = panel !== "text";
    this.#map.element.hidden = panel !== "model";
    if (panel === "model") {
      this.#search.draw(row.positions, picture.text[row.side]);
      this.#map.draw(picture, row, state);
      return;
    }
    this.#darkest.textContent = reading.darkest;
    this.#listTitle.textContent = reading.listTitle;
    this.#summary.textContent = reading.summary || "\u00a0";
    this.#flow(picture, row, state);
    this.#shade(reading);
    this.#drawList(reading, inSight);
    this.#mark(this.#search.draw(row.positions, picture.text[row.side]));
    this.#follow(picture, row, state);
  }

  /**
   * The text, built anew when it is another one.
   * @param {Picture} picture
   * @param {ShownRow} row
   * @param {State} state
   */
  #flow({ block, text }, { side, positions }, { words, pair, hide, zoom }) {
    const own = text[side];
    const name = JSON.stringify([block.name, words, pair, hide, zoom, block.key ? side : ""]);
    if (name === this.#flowing && this.#words.length === positions.length) return;
    this.#flowing = name;
    this.#words = Array.from(positions, (position, r) => {
      const word = document.createElement("span");
      word.dataset.place = String(position);
      word.dataset.row = String(r);
      word.textContent = inText(own[position]);
      return word;
    });
    this.#grounds = this.#words.map(() => "");
    this.#width = 0;
    this.#text.replaceChildren(...this.#words);
  }

  /**
   * First the words in sight; thousands of others when nothing moves, or when they are scrolled to.
   * @param {Reading} reading
   */
  #shade({ row: { means }, most }) {
    const { accent, negative } = this.#frame.theme();
    const [plus, minus] = [channels(accent).join(" "), channels(negative).join(" ")];
    const shade = (/** @type {number} */ from, /** @type {number} */ end) => {
      for (let r = from; r < end; r++) {
        const percent = Math.round(100 * shadeOf(means[r], most));
        const ground = percent ? `rgb(${means[r] < 0 ? minus : plus} / ${percent}%)` : "";
        if (ground === this.#grounds[r]) continue;
        this.#words[r].style.backgroundColor = this.#grounds[r] = ground;
      }
    };
    shade(...this.#inSight());
    clearTimeout(this.#timer);
    this.#shadeRest = () => {
      clearTimeout(this.#timer);
      this.#shadeRest = null;
      shade(0, this.#words.length);
    };
    this.#timer = setTimeout(() => this.#shadeRest?.(), SETTLED);
  }

  /** The first word in sight and the one after the last. @returns {[number, number]} */
  #inSight() {
    const { clientWidth, clientHeight, scrollTop } = this.#text;
    if (clientWidth !== this.#width) {
      this.#width = clientWidth;
      this.#tops = this.#words.map(({ offsetTop }) => offsetTop);
    }
    const first = this.#tops.findIndex((top) => top > scrollTop - LINE);
    const after = this.#tops.findIndex((top) => top > scrollTop + clientHeight);
    return [Math.max(0, first), after < 0 ? this.#tops.length : after];
  }

  /**
   * @param {Reading} reading
   * @param {[number, number] | null} inSight
   */
  #drawList({ ranked }, inSight) {
    const lines = ranked.map((rank) => ({
      ...rank,
      place: String(rank.position),
      away: inSight ? arrow(rank.r, inSight) : "",
      data: { index: rank.position, row: rank.r },
    }));
    this.#list.draw(lines, Math.min(LISTED, this.#words.length), this.#frame.theme());
  }

  /**
   * The selected token is outlined, and in sight when it has just been locked.
   * @param {Picture} picture
   * @param {ShownRow} row
   * @param {State} state
   */
  #follow({ block }, { positions, chosen }, { locked }) {
    const rows = block.key ? [] : chosen.map((position) => positions.indexOf(position));
    for (const word of this.#text.querySelectorAll(".selected")) word.classList.remove("selected");
    for (const row of rows) this.#words[row]?.classList.add("selected");
    const at = locked ? JSON.stringify(chosen) : "";
    if (at && at !== this.#lockedAt && rows.length) this.#show(rows[0]);
    this.#lockedAt = at;
  }
}

/**
 * Where a row is that is out of sight.
 * @param {number} row
 * @param {[number, number]} inSight
 */
function arrow(row, [first, end]) {
  return row < first ? "↑" : row >= end ? "↓" : "";
}

/** @param {Event} event */
function rowAt(event) {
  const element = /** @type {Element} */ (event.target).closest("[data-row]");
  return element ? Number(/** @type {HTMLElement} */ (element).dataset.row) : null;
}
