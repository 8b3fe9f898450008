// A tour of each view in five steps: what its parts are, and what one can do there.

/**
 * @typedef {object} Stop
 * @property {string} part of the page, as a selector
 * @property {string} text what it is
 * @property {boolean} [inside] whether what stands in it is meant, and not all of its box
 */

/** @type {Record<string, Stop[]>} */
export const TOURS = {
  head: [
    {
      part: ".stage",
      text:
        "Every line goes from a token on the left to a token that it looks at, on the right. The stronger " +
        "the line, the larger the weight; in one head, the weights of a token add up to 1.",
    },
    {
      part: ".column.query",
      text:
        "The pointer on a token shows its lines alone. A click locks it, Shift-click adds another, ↑ and ↓ " +
        "go on, Esc lets go. On the right it is the other way round: who looks at that token.",
    },
    {
      part: ".heads",
      text:
        "The heads of this layer, each in its color. The pointer on one shows it alone for a while; a click " +
        "keeps only that head, Shift-click adds another, and a click on the only one brings all back.",
    },
    {
      part: '[data-part="columns"]',
      inside: true,
      text:
        "Beside each token stands what every head gives it, as a bar and, where it is large enough, a " +
        "number. With nothing selected it is the mean over all rows.",
    },
    {
      part: '[data-part="reading"]',
      text:
        "The text, shaded by the weights, and where the token looks most. A click goes there; / searches " +
        "for a token or a position. Model shows the same token in every head of every layer.",
    },
  ],
  model: [
    {
      part: ".cells",
      text:
        "Every small picture is a head: layers from top to bottom, the heads of a layer from left to " +
        "right. Its lines go from the tokens on the left to those that they look at, on the right.",
    },
    {
      part: 'select[name="measure"]',
      text:
        "The bar below each head is a number: how much of its attention rests on the first token, how even " +
        "it is, or how far it looks. Order sorts the heads by it.",
    },
    {
      part: ".title-line",
      text: "This sentence says what the picture shows, and can be selected and copied.",
    },
    {
      part: ".detail",
      text:
        "The opened head with its tokens. From here it goes on in the head view, or in the neuron view " +
        "with its queries and keys.",
    },
    {
      part: ".badge",
      text: "How exactly this is the attention that the model computed, if it was compared.",
    },
  ],
  neuron: [
    {
      part: ".column.query",
      text: "The token that looks. Choose another: the pointer shows it, a click locks it, ↑ and ↓ go on.",
    },
    {
      part: '[data-term="query"]',
      text:
        "Its query is a list of numbers, one for each neuron: blue above zero, orange below, the stronger " +
        "the larger. Every token on the right has a key of the same length.",
    },
    {
      part: '[data-term="product"]',
      text:
        "Query times key, neuron by neuron: what each neuron adds to the score. A click on one switches it " +
        "off.",
    },
    {
      part: '[data-term="softmax"]',
      text:
        "The sum of a row is its score, and softmax turns the scores into weights that add up to 1: where " +
        "the token looks.",
    },
    {
      part: '[data-part="steps"]',
      text:
        "The same for one pair, step by step, in numbers. Temperature makes the softmax sharper or softer; " +
        "the model’s own numbers stay beside it.",
    },
  ],
};
