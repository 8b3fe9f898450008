// What all views have in common: a host comes alive, a state changes, a picture follows.
//
// A view is two functions: needs(source, state) names the layers to decode, create(frame) builds
// its controls once and returns draw(state), which makes the scene of a state, paints it and
// returns it. Everything drawn follows from payload and state alone.

import { Source } from "./payload.js";
import { initialState, nextState } from "./state.js";
import { cssVariables, detectMode, STYLE, THEMES, watchMode } from "./theme.js";

/** @typedef {import("./payload.js").Payload} Payload */
/** @typedef {import("./payload.js").Layer} Layer */
/** @typedef {import("./state.js").State} State */
/** @typedef {import("./theme.js").Theme} Theme */
/**
 * @typedef {object} View
 * @property {(payload: Payload) => Partial<State>} start the view's own beginning
 * @property {(source: Source, state: State) => Layer[]} needs
 * @property {(frame: Frame) => {draw: (state: State) => object}} create
 * @property {(source: Source, state: State, options: {theme: Theme, width: number}) => import("./svg.js").Sheet} [figure]
 *   the picture of a state, for a file
 * @property {string[]} [keys] state keys that data-drawn has beyond the common ones
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

export class Shell {
  #host;
  #view;
  #source;
  /** @type {State} */
  #state;
  /** @type {HTMLElement} */
  #root;
  /** @type {Theme} */
  #theme = THEMES.light;
  /** @type {{draw: (state: State) => object} | null} */
  #drawing = null;
  /** @type {object | null} */
  #scene = null;
  #frame = 0;
  #pending = false;
  #width = 0;

  /**
   * @param {HTMLElement} host
   * @param {Payload} payload
   * @param {View} view
   */
  constructor(host, payload, view) {
    this.#host = host;
    this.#view = view;
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
    this.#state = initialState(payload, view.start(payload));
    const shadow = host.attachShadow({ mode: "open" });
    shadow.innerHTML = `<style>${STYLE}</style><style></style><div class="view"></div>`;
    this.#root = /** @type {HTMLElement} */ (shadow.querySelector(".view"));
    this.#setTheme();
    watchMode(() => {
      if (this.#setTheme()) this.#schedule();
    });
    this.#first();
  }

  async #first() {
    try {
      // Not in an animation frame: they do not come while an output is out of sight.
      while (!(await this.#decode()));
      this.#drawing = this.#view.create({
        root: this.#root,
        source: this.#source,
        state: () => this.#state,
        set: (patch) => {
          // A pointer resting on a token asks for the same state again and again.
          const next = nextState(this.#source.payload, this.#state, patch);
          if (JSON.stringify(next) !== JSON.stringify(this.#state)) this.#set(patch);
        },
        redraw: () => this.#schedule(),
        theme: () => this.#theme,
        width: () => this.#width || WIDTH,
        svg: () => this.#svg(),
      });
      this.#width = this.#measure();
      this.#draw();
      this.#host.dataset.state = "ready";
      new ResizeObserver(() => {
        const width = this.#measure();
        if (width && width !== this.#width) {
          this.#width = width;
          this.#schedule();
        }
      }).observe(this.#host);
    } catch (error) {
      showError(this.#host, error);
    }
  }

  #measure() {
    const style = getComputedStyle(this.#root);
    const inner = this.#root.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    return Math.max(0, Math.floor(inner) || 0);
  }

  /** @param {Partial<State>} patch */
  #set(patch) {
    this.#state = nextState(this.#source.payload, this.#state, patch);
    this.#schedule();
  }

  #schedule() {
    if (this.#pending) return;
    this.#pending = true;
    const run = async () => {
      if (!this.#pending) return;
      this.#pending = false;
      try {
        if (!(await this.#decode())) return;
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

  /** Decodes what the state needs; false when the state has moved on meanwhile. */
  async #decode() {
    const state = this.#state;
    const block = this.#source.block(state.block);
    const missing = this.#view.needs(this.#source, state).filter((l) => !this.#source.has(l));
    if (missing.length) await this.#source.ensure(block, missing);
    if (state === this.#state) return true;
    this.#schedule();
    return false;
  }

  #draw() {
    const state = this.#state;
    if (!this.#drawing) return;
    this.#scene = this.#drawing.draw(state);
    /** @type {Record<string, unknown>} */
    const drawn = {};
    for (const key of [...COMMON_KEYS, ...(this.#view.keys ?? [])]) {
      drawn[key] = /** @type {any} */ (state)[key] ?? null;
    }
    drawn.frame = ++this.#frame;
    this.#host.dataset.drawn = JSON.stringify(drawn);
  }

  async #svg() {
    const options = { theme: this.#theme, width: this.#width || WIDTH };
    if (!this.#view.figure) throw new Error("This view cannot be saved as a figure yet.");
    return this.#view.figure(this.#source, this.#state, options).svg();
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
