// A long text has an overview beside it, and begins with its strongest lines.

/** More tokens than this are a long text. */
const LONG = 64;
const STRONGEST = 0.5;

/**
 * @param {{queries: {length: number}, keys: {length: number}}} shown
 */
export const isLong = ({ queries, keys }) => Math.max(queries.length, keys.length) > LONG;

/**
 * How much of each row lines at rest show, unless the reader has chosen.
 * @param {number} tokens
 */
export const startingMass = (tokens) => (tokens > LONG ? STRONGEST : 1);
