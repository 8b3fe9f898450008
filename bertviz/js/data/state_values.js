/**
 * Which kind of value a state key takes, where its values depend on what is shown.
 *
 * The problem. A page script may set a state to anything: a list that is none, a key that every
 * object has from its prototype. What is of the wrong kind is no change at all; what is of the right
 * kind and is not there is for the repairs of `state.js`.
 */

const isInteger = (/** @type {unknown} */ value) => Number.isInteger(value);
const isText = (/** @type {unknown} */ value) => typeof value === "string";
const isNumber = (/** @type {unknown} */ value) => typeof value === "number";
/** @returns {value is unknown[]} */
const isList = (/** @type {unknown} */ value) => Array.isArray(value);
/** @type {(value: unknown, length: number) => boolean} */
const isIntegers = (value, length) =>
  isList(value) && value.length === length && value.every(isInteger);

/** @type {Map<string, (value: unknown) => boolean>} */
const KINDS = new Map([
  ["view", isText],
  ["block", isText],
  ["layer", isInteger],
  ["heads", isList],
  ["query", (value) => value === null || isInteger(value)],
  ["key", (value) => value === null || isInteger(value)],
  ["also", isList],
  ["mass", isNumber],
  ["zoom", (value) => value === null || isIntegers(value, 4)],
  ["cell", (value) => value === null || isIntegers(value, 2)],
  ["measure", (value) => value === null || isText(value)],
  ["off", isList],
]);

/**
 * @param {string} name a state key whose values are not all listed
 * @param {unknown} value
 */
export function isOfItsKind(name, value) {
  return KINDS.get(name)?.(value) ?? false;
}
