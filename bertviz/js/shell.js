// What all views have in common: a host comes alive, a state changes, a picture follows.
//
// A view is two functions: needs(source, state) names the layers to decode, create(frame) builds
// its controls once and returns draw(state), which makes the scene of a state, paints it and
// returns it. Everything drawn follows from payload and state alone. What would hold up the page is
// done in small steps before, by prepare(state).
//
// Which view is drawn is part of the state: a model view hands over to the head view or the neuron
// view of one of its heads, in the same host, and finds itself as it was when the reader comes
// back.

import { add } from "./controls/dom.js";
import { showError } from "./controls/error.js";
import { inSteps, oncePerFrame } from "./controls/schedule.js";
import { addWayBack, goBackOnEscape } from "./controls/way_back.js";
import { Source } from "./data/payload.js";
import { drawFigure } from "./svg/figure.js";
import { changeOf, initialState, nextState, viewsOf } from "./state.js";
import { cssVariables, THEMES } from "./theme/colors.js";
import { detectMode, watchMode } from "./theme/mode.js";
import { addStyle } from "./theme/sheets.js";

/** @typedef {import("./controls/frame.js").Drawing} Drawing */
/** @typedef {import("./controls/frame.js").Frame} Frame */
/** @typedef {import("./controls/frame.js").View} View */
/** @typedef {import("./data/schema.js").Payload} Payload */
/** @typedef {import("./state.js").State} State */
/** @typedef {import("./theme/colors.js").Theme} Theme */

export const WIDTH = 760; // where none can be measured
const NARROW = 560; // CSS pixels, as wide as a phone
const COMMON_KEYS = ["block", "layer", "heads", "query", "key", "locked"];

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
  #variables;
  /** @type {object | null} */
  #scene = null;
  #frame = 0;
  #schedule = oncePerFrame(() => this.#redraw());
  #width = 0;

  /**
   * @param {HTMLElement} host
   * @param {Payload} payload
   * @param {Record<string, View>} views
   */
  constructor(host, payload, views) {
    this.#host = host;
    this.#views = views;
    // Claimed before anything can fail, so that no second script draws into the same host.
    Object.defineProperty(host, "bertviz", { value: this.#pageApi() });
    if (typeof DecompressionStream === "undefined") {
      throw new Error("This browser is too old: one from 2023 or later is needed.");
    }
    this.#source = new Source(payload);
    this.#state = this.#home = initialState(payload, views[payload.view].start(payload));
    const shadow = host.attachShadow({ mode: "open" });
    this.#variables = addStyle(shadow);
    this.#root = add(shadow, "view");
    this.#setTheme();
    watchMode(host, () => {
      if (this.#setTheme()) this.#schedule();
    });
    if (viewsOf(payload).length > 1) {
      const opened = () => (this.#isAway() ? this.#state : null);
      goBackOnEscape(host, opened, () => this.#goBack());
    }
    this.#first();
  }

  /** What tests and scripts of a page take hold of. */
  #pageApi() {
    const shell = this;
    return {
      get state() {
        return structuredClone({ ...shell.#state });
      },
      set: (/** @type {unknown} */ patch) => this.#set(changeOf(patch)),
      scene: () => this.#scene,
      svg: () => this.#svg(),
    };
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
      showError(this.#host, this.#state.view, error);
    }
  }

  /** The view in force, built when it is first shown. */
  #current() {
    const { view } = this.#state;
    let built = this.#built.get(view);
    if (!built) {
      const root = this.#built.size ? document.createElement("div") : this.#root;
      root.className = this.#root.className;
      const own = this.#isAway() ? addWayBack(root, () => this.#goBack()) : root;
      const drawing = this.#views[view].create(this.#frameOf(own));
      this.#built.set(view, (built = { root, drawing }));
    }
    return built;
  }

  /**
   * @param {HTMLElement} root
   * @returns {Frame}
   */
  #frameOf(root) {
    return {
      root,
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
    };
  }

  #measure() {
    const style = getComputedStyle(this.#root);
    const inner =
      this.#root.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    return Math.max(0, Math.floor(inner) || 0);
  }

  /** @param {Partial<State>} patch */
  #set(patch) {
    if (this.#host.dataset.state === "error") return; // the sentence stays
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

  /** Is a view shown that was opened from the output's own? */
  #isAway() {
    return this.#state.view !== this.#source.payload.view;
  }

  #goBack() {
    this.#set({ view: this.#source.payload.view });
  }

  async #redraw() {
    try {
      if (await this.#prepare()) this.#draw();
    } catch (error) {
      showError(this.#host, this.#state.view, error);
    }
  }

  /** Decodes and prepares what the state needs; false when the state has moved on meanwhile. */
  async #prepare() {
    const state = this.#state;
    const { needs, reads = "weights" } = this.#views[state.view];
    const block = this.#source.block(state.block);
    const missing = needs(this.#source, state).filter((l) => !this.#source.has(l, reads));
    if (missing.length) await this.#source.ensure(block, missing, reads);
    if (state === this.#state) {
      const steps = this.#current().drawing.prepare?.(state) ?? [];
      await inSteps(steps, () => state === this.#state);
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
    root.classList.toggle("narrow", (this.#width || WIDTH) < NARROW);
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
    const [source, state, theme] = [this.#source, this.#state, this.#theme];
    const panelIn = (/** @type {number} */ width) => figure(source, state, { theme, width });
    return drawFigure(panelIn, this.#width || WIDTH, { theme });
  }

  /** @returns {boolean} whether the theme changed */
  #setTheme() {
    const { theme: wanted } = this.#source.payload;
    const around = detectMode(this.#host);
    const theme = THEMES[wanted === "auto" ? around : wanted];
    if (theme === this.#theme && this.#root.dataset.theme) return false;
    this.#theme = theme;
    this.#variables.replaceSync(`:host { ${cssVariables(theme)} color-scheme: ${theme.mode}; }`);
    this.#root.dataset.theme = theme.mode;
    // A theme that was asked for brings its ground along: the notebook's may be the other one.
    this.#root.classList.toggle("grounded", wanted !== "auto");
    return true;
  }
}
