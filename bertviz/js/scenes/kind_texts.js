// What numbers are called that are not attention.

/** @param {import("../data/schema.js").Payload} payload */
export const kindName = ({ kind }) => `${kind} values`;
