// Several heads as small matrices beside each other, all of one size: how many stand in a line.

const GAP = 16;
const LEAST = 150; // CSS pixels of a matrix
const MOST = { few: 340, many: 240 };
const FEW = 4; // heads

export const AXES_IN_LINE = "query ↓  key →";
export const TITLE = 22; // height of the number above a matrix
export const BETWEEN = { across: GAP, down: 14 };

/**
 * @param {number} count of heads
 * @param {number} available width
 */
export function multiplesLayout(count, available) {
  const fitting = Math.max(1, Math.floor((available + GAP) / (LEAST + GAP)));
  // No line is left with a single one where all could be of nearly equal length.
  const lines = Math.ceil(count / Math.min(count, fitting));
  const columns = Math.ceil(count / lines);
  const most = count <= FEW ? MOST.few : MOST.many;
  const width = Math.min(most, Math.floor((available - GAP * (columns - 1)) / columns));
  return { columns, lines, width };
}
