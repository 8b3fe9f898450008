// What a view and the shell around it know of each other.

/** @typedef {import("../data/payload.js").Source} Source */
/** @typedef {import("../data/schema.js").Layer} Layer */
/** @typedef {import("../data/schema.js").Payload} Payload */
/** @typedef {import("../state.js").State} State */
/** @typedef {import("../svg/figure.js").Panel} Panel */
/** @typedef {import("../theme/colors.js").Theme} Theme */
/**
 * @typedef {object} View
 * @property {(payload: Payload) => Partial<State>} start the view's own beginning
 * @property {(source: Source, state: State) => Layer[]} needs
 * @property {"weights" | "neurons"} [reads] what of a layer it needs, weights if nothing is said
 * @property {(frame: Frame) => Drawing} create
 * @property {(source: Source, state: State, options: {theme: Theme, width: number}) => Panel} figure
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

export {};
