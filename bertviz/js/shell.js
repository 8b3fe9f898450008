// What all views have in common: a host comes alive, a state changes, a picture follows.
//
// A view is two functions: needs(source, state) names the layers to decode, create(frame) builds
// its controls once and returns draw(state), which makes the scene of a state, paints it and
// returns it. Everything drawn follows from payload and state alone. What would hold up the page is
// done in small steps before, by prepare(state).
//
// Which view is drawn is part of the state: a model view hands over to the head view or the neuron
// view of one of its heads, in the same host, and finds itself as it was when the reader comes back.

import { add } from "./controls/dom.js";
import { listenForKeys } from "./controls/outside.js";
import { Source } from "./data/payload.js";
import { initialState, nextState, viewsOf } from "./state.js";
import { cssVariables, detectMode, STYLE, THEMES, watchMode } from "./theme/theme.js";

/** @typedef {import("./data/payload.js").Payload} Payload */
/** @typedef {import("./data/payload.js").Layer} Layer */
/** @typedef {import("./state.js").State} State */
/** @typedef {import("./theme/theme.js").Theme} Theme */
/**
 * @typedef {object} View
 * @property {(payload: Payload) => Partial<State>} start the view's own beginning
 * @property {(source: Source, state: State) => Layer[]} needs
 * @property {"weights" | "neurons"} [reads] what of a layer it needs, weights if nothing is said
 * @property {(frame: Frame) => Drawing} create
 * @property {(source: Source, state: State, options: {theme: Theme, width: number}) => import("./svg/sheet.js").Sheet} figure
 *   the picture of a state, for a file
 * @property {string[]} [keys] state keys that data-drawn has beyond the common ones
 */
/**
 * @typedef {object} Drawing
 * @property {(state: State) => object} draw
 * @property {(state: State) => Iterable<void>} [prepare] work before drawing, a step at a time
 */
/**
 * What a view sees of its shell.
 * @typedef {object} Frame
 * @property {HTMLElement} root where to build
 * @property {Source} source
 * @property {() => State} state
 * @property {(patch: Partial<State>) => void} set
 * @property {() => void} redraw same state, other size or scroll position
 * @property {() => Theme} theme
 * @property {() => number} width CSS pixels to draw in
 * @property {() => Promise<string>} svg the picture as it stands, as a file
 */

export const WIDTH = 760; // where none can be measured
const COMMON_KEYS = ["block", "layer", "heads", "query", "key", "locked"];
const STEP = 12; // milliseconds of preparing, then others have their turn

export class Shell {
  #host;
  #views;
  #source;
  /** @type {State} */
  #state;
  /** @type {State} as the output's own view was when the reader left it */
  #home;
  /** @type {Map<string, {root: HTMLElement, drawing: Drawing}>} the views that were shown */
  #built = new Map();
  /** @type {HTMLElement} the root of the view in force */
  #root;
  /** @type {Theme} */
  #theme = THEMES.light;
  /** @type {object | null} */
  #scene = null;
  #frame = 0;
  #pending = false;
  #width = 0;

  /**
   * @param {HTMLElement} host
   * @param {Payload} payload
   * @param {Record<string, View>} views
   */
  constructor(host, payload, views) {
    this.#host = host;
    this.#views = views;
    const shell = this;
    // Claimed before anything can fail, so that no second script draws into the same host.
    Object.defineProperty(host, "bertviz", {
      value: {
        get state() {
          return { ...shell.#state };
        },
        /** @param {Partial<State>} patch */
        set: (patch) => shell.#set(patch),
        scene: () => shell.#scene,
        svg: () => shell.#svg(),
      },
    });
    if (typeof DecompressionStream === "undefined") {
      throw new Error("This browser is too old for the attention view: it needs one of 2023 or later.");
    }
    this.#source = new Source(payload);
    this.#state = this.#home = initialState(payload, views[payload.view].start(payload));
    const shadow = host.attachShadow({ mode: "open" });
    shadow.innerHTML = `<style>${STYLE}</style><style></style><div class="view"></div>`;
    this.#root = /** @type {HTMLElement} */ (shadow.querySelector(".view"));
    this.#setTheme();
    watchMode(host, () => {
      if (this.#setTheme()) this.#schedule();
    });
    if (viewsOf(payload).length > 1) this.#listenForEscape();
    this.#first();
  }

  async #first() {
    try {
      this.#width = this.#measure();
      // Not in an animation frame: they do not come while an output is out of sight.
      while (!(await this.#prepare()));
      this.#draw();
      this.#host.dataset.state = "ready";
      new ResizeObserver(() => {
        const width = this.#measure();
        if (!width) return; // out of the page; when it comes back, the theme may be another
        if (this.#setTheme() || width !== this.#width) {
          this.#width = width;
          this.#schedule();
        }
      }).observe(this.#host);
    } catch (error) {
      showError(this.#host, error);
    }
  }

  /** The view in force, built when it is first shown. */
  #current() {
    const { view } = this.#state;
    let built = this.#built.get(view);
    if (!built) {
      const root = this.#built.size ? document.createElement("div") : this.#root;
      root.className = this.#root.className;
      const away = view !== this.#source.payload.view;
      const drawing = this.#views[view].create({
        root: away ? this.#addWayBack(root) : root,
        source: this.#source,
        state: () => this.#state,
        set: (patch) => {
          // A pointer resting on a token asks for the same state again and again.
          if (JSON.stringify(this.#next(patch)) !== JSON.stringify(this.#state)) this.#set(patch);
        },
        redraw: () => this.#schedule(),
        theme: () => this.#theme,
        width: () => this.#width || WIDTH,
        svg: () => this.#svg(),
      });
      this.#built.set(view, (built = { root, drawing }));
    }
    return built;
  }

  #measure() {
    const style = getComputedStyle(this.#root);
    const inner = this.#root.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    return Math.max(0, Math.floor(inner) || 0);
  }

  /** @param {Partial<State>} patch */
  #set(patch) {
    const own = this.#source.payload.view;
    if (this.#state.view === own) this.#home = this.#state;
    this.#state = this.#next(patch);
    this.#schedule();
  }

  /**
   * @param {Partial<State>} patch
   * @returns {State}
   */
  #next(patch) {
    const { payload } = this.#source;
    const next = nextState(payload, this.#state, patch);
    if (next.view === this.#state.view) return next;
    // Another view begins with what is chosen in the output's own one, which waits as it is.
    const home = this.#state.view === payload.view ? this.#state : this.#home;
    const start = next.view === payload.view ? {} : this.#views[next.view].start(payload);
    return nextState(payload, home, { ...start, ...patch });
  }

  /**
   * A view that was opened from another begins with the way back.
   * @param {HTMLElement} root
   */
  #addWayBack(root) {
    const back = add(add(root, "trail"), "link", "button");
    back.dataset.action = "back";
    back.textContent = "← all heads";
    back.addEventListener("click", () => this.#set({ view: this.#source.payload.view }));
    return add(root, "opened");
  }

  /** Esc with nothing selected is the way back, too; before it, the view lets go of a selection. */
  #listenForEscape() {
    listenForKeys(this.#host, (event) => {
      const { view, query, key, locked, detail } = this.#state;
      if (event.key !== "Escape" || view === this.#source.payload.view) return;
      if (!this.#host.matches(":hover, :focus-within")) return;
      // The open columns of the neuron view always have a query.
      if (locked || key !== null || (query !== null && !detail)) return;
      event.stopImmediatePropagation();
      this.#set({ view: this.#source.payload.view });
    });
  }

  #schedule() {
    if (this.#pending) return;
    this.#pending = true;
    const run = async () => {
      if (!this.#pending) return;
      this.#pending = false;
      try {
        if (!(await this.#prepare())) return;
        this.#draw();
      } catch (error) {
        showError(this.#host, error);
      }
    };
    // The timer is for frames out of sight, which get no animation frames.
    const timer = setTimeout(run, 100);
    requestAnimationFrame(() => {
      clearTimeout(timer);
      run();
    });
  }

  /** Decodes and prepares what the state needs; false when the state has moved on meanwhile. */
  async #prepare() {
    const state = this.#state;
    const { needs, reads = "weights" } = this.#views[state.view];
    const block = this.#source.block(state.block);
    const missing = needs(this.#source, state).filter((l) => !this.#source.has(l, reads));
    if (missing.length) await this.#source.ensure(block, missing, reads);
    if (state === this.#state) {
      let began = performance.now();
      for (const _ of this.#current().drawing.prepare?.(state) ?? []) {
        if (performance.now() - began < STEP) continue;
        await turn();
        began = performance.now();
        if (state !== this.#state) break;
      }
    }
    if (state === this.#state) return true;
    this.#schedule();
    return false;
  }

  #draw() {
    const state = this.#state;
    const { root, drawing } = this.#current();
    if (root !== this.#root) {
      root.dataset.theme = this.#root.dataset.theme;
      root.className = this.#root.className;
      this.#root.replaceWith(root);
      this.#root = root;
    }
    this.#scene = drawing.draw(state);
    /** @type {Record<string, unknown>} */
    const drawn = {};
    for (const key of [...COMMON_KEYS, ...(this.#views[state.view].keys ?? [])]) {
      drawn[key] = /** @type {any} */ (state)[key] ?? null;
    }
    drawn.frame = ++this.#frame;
    this.#host.dataset.view = state.view;
    this.#host.dataset.drawn = JSON.stringify(drawn);
  }

  async #svg() {
    const { figure } = this.#views[this.#state.view];
    return figure(this.#source, this.#state, { theme: this.#theme, width: this.#width || WIDTH }).svg();
  }

  /** @returns {boolean} whether the theme changed */
  #setTheme() {
    const { theme: wanted } = this.#source.payload;
    const around = detectMode(this.#host);
    const theme = THEMES[wanted === "auto" ? around : wanted];
    if (theme === this.#theme && this.#root.dataset.theme) return false;
    this.#theme = theme;
    const variables = /** @type {ShadowRoot} */ (this.#host.shadowRoot).querySelectorAll("style")[1];
    variables.textContent = `:host { ${cssVariables(theme)} color-scheme: ${theme.mode}; }`;
    this.#root.dataset.theme = theme.mode;
    // A theme that was asked for brings its ground along: the notebook's may be the other one.
    this.#root.classList.toggle("grounded", wanted !== "auto");
    return true;
  }
}

/** Lets the page do what waits; a timer would be slowed down in a tab out of sight. */
function turn() {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = resolve;
    port2.postMessage(null);
  });
}

/**
 * A sentence instead of a blank.
 * @param {HTMLElement} host
 * @param {unknown} error
 */
export function showError(host, error) {
  const sentence =
    "The attention view could not be drawn: " +
    (error instanceof Error ? error.message : String(error));
  console.error(sentence, error);
  const shadow = host.shadowRoot ?? host.attachShadow({ mode: "open" });
  const paragraph = document.createElement("p");
  paragraph.setAttribute("role", "alert");
  paragraph.textContent = sentence;
  shadow.replaceChildren(paragraph);
  host.dataset.state = "error";
}
