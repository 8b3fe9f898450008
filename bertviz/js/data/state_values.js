/**
 * What a page script may set a state to: anything, of which only plain values of the right kind count.
 *
 * The problem. A script may pass a list that is none, a key that every object has from its prototype,
 * an object that throws when it is read, or a list that it changes afterwards. So what is passed is
 * copied once, at the door. What cannot be read or is of the wrong kind is no change at all; what is
 * of the right kind and is not there is for the repairs of `state.js`.
 */

const LONGEST = 2 ** 16; // tokens of a block: no list that means something is longer

/**
 * A change as a plain object of plain values, which nobody else holds.
 * @param {unknown} patch
 * @param {string[]} names of state keys
 * @returns {Record<string, unknown>}
 */
export function plainChange(patch, names) {
  /** @type {Record<string, unknown>} */
  const plain = {};
  for (const name of names) {
    try {
      const given = /** @type {Record<string, unknown>} */ (patch);
      if (Object.hasOwn(given, name)) plain[name] = plainValue(given[name]);
    } catch {
      // Nothing to read from, or what is read throws.
    }
  }
  return plain;
}

/** @param {unknown} value */
function plainValue(value) {
  if (!Array.isArray(value)) return typeof value === "object" && value ? undefined : value;
  if (value.length > LONGEST) return undefined;
  // Not by the list's own methods, which may be others.
  const items = [];
  for (let i = 0; i < value.length; i++) {
    items.push(typeof value[i] === "number" ? value[i] : NaN); // lists are lists of numbers
  }
  return items;
}

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
  ["temperature", isNumber],
]);

/**
 * @param {string} name a state key whose values are not all listed
 * @param {unknown} value
 */
export function isOfItsKind(name, value) {
  return KINDS.get(name)?.(value) ?? false;
}
