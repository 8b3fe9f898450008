// What is said of all numbers of a view: what they are, if they are not attention, and that nobody
// compared them with the model.

/** Of attention without `verify`. */
export const NOT_CHECKED = "not checked against the model";

/** @param {import("../data/schema.js").Payload} payload */
export const kindName = ({ kind }) => `${kind} values`;
