// Numbers along a row of things, as many as there is room for: the first and every n-th.

/** Steps that are easy to count in. */
export const ROUND_STEPS = [1, 2, 5, 10, 20];
/** Steps that divide head sizes. */
export const BINARY_STEPS = [1, 2, 4, 8, 16, 32, 64, 128];

/**
 * How many things a label stands for.
 * @param {number} pitch from one thing to the next
 * @param {number} room that a label takes
 * @param {number[]} [steps] those to choose from, ascending; any number if none of them is enough
 */
export function stepFor(pitch, room, steps = []) {
  return steps.find((step) => step * pitch >= room) ?? Math.max(1, Math.ceil(room / pitch));
}

/**
 * Which of so many things have a label.
 * @param {number} count
 * @param {number} pitch
 * @param {number} room
 * @param {number[]} [steps]
 * @returns {number[]}
 */
export function labeled(count, pitch, room, steps) {
  const step = stepFor(pitch, room, steps);
  return Array.from({ length: Math.ceil(count / step) }, (_, i) => i * step);
}
