// The panel that computes one pair step by step: bars that add up to the score, and the numbers from
// the score to the weight. Softmax has a temperature here that can be moved.

import { format } from "d3-format";
import { create, select } from "d3-selection";
import { exactSigned, shortSigned } from "../data/formats.js";
import { tokensOf } from "../data/schema.js";
import { labeled, BINARY_STEPS } from "../parts/ticks.js";
import { stepsOf } from "../scenes/steps.js";
import { quoted } from "../scenes/token_texts.js";
import { shortTemperature } from "../scenes/what_if_texts.js";
import { TEMPERATURES } from "../state.js";
import { add } from "./dom.js";
import { addRange } from "./range.js";

/** @typedef {import("../scenes/neuron.js").NeuronScene} NeuronScene */
/** @typedef {import("../scenes/steps.js").Steps} Steps */
/** @typedef {{name: string, label: string, shown: string, own: string}} Said */

const HEIGHT = 92; // CSS pixels of the bars
const END = 76; // beside them, for the sum
const WIDEST = 720;
const HALVINGS = 8; // steps of the slider from one temperature to twice it
const three = format(".3f");

/**
 * @param {HTMLElement} parent
 * @param {import("./frame.js").Frame} frame
 */
export function addSteps(parent, frame) {
  return new StepsPanel(parent, frame);
}

class StepsPanel {
  #frame;
  #title;
  #picture;
  #numbers;
  #temperature;

  /**
   * @param {HTMLElement} parent
   * @param {import("./frame.js").Frame} frame
   */
  constructor(parent, frame) {
    this.#frame = frame;
    this.element = add(parent, "steps");
    this.element.dataset.part = "steps";
    const line = add(this.element, "line");
    this.#title = add(line, "heading", "span");
    this.#temperature = addRange(line, "temperature", "Temperature", (halvings) => {
      const temperature = halvings === 0 ? 1 : 2 ** (halvings / HALVINGS);
      frame.set({ temperature: clamped(temperature) });
    });
    this.#temperature.element.title =
      "Scores are divided by it before softmax: below 1 the largest takes more, above 1 all take part";
    this.#picture = create("svg:svg").attr("role", "img");
    this.element.append(/** @type {Element} */ (this.#picture.node()));
    this.#numbers = add(this.element, "numbers-line");
  }

  /** @param {NeuronScene} scene */
  draw(scene) {
    const steps = stepsOf(scene);
    const { text } = tokensOf(scene.block, "key");
    const own = tokensOf(scene.block, "query").text[/** @type {number} */ (scene.query)];
    this.#title.textContent = `How ${quoted(own)} comes to look at ${quoted(text[steps.key])}`;
    const { temperature } = steps;
    this.#temperature.draw(
      {
        min: Math.ceil(HALVINGS * Math.log2(TEMPERATURES[0])),
        max: Math.floor(HALVINGS * Math.log2(TEMPERATURES[1])),
        value: Math.round(HALVINGS * Math.log2(temperature)),
      },
      shortTemperature(temperature),
    );
    this.#temperature.element.classList.toggle("changed", temperature !== 1);
    this.#drawBars(steps);
    this.#drawNumbers(steps);
  }

  /** @param {Steps} steps */
  #drawBars({ bars, sum }) {
    const theme = this.#frame.theme();
    const width = Math.max(160, Math.min(WIDEST, this.#frame.width() - 30) - END);
    const ends = bars.map(({ to }) => to);
    const [least, most] = [Math.min(0, ...ends), Math.max(0, ...ends)];
    const y = (/** @type {number} */ value) =>
      4 + ((most - value) / (most - least || 1)) * (HEIGHT - 8);
    const cell = width / bars.length;
    const svg = this.#picture
      .attr("width", width + END)
      .attr("height", HEIGHT + 14)
      .attr("aria-label", `The products of ${bars.length} neurons add up to ${exactSigned(sum)}`);
    svg
      .selectAll("rect")
      .data(bars)
      .join((enter) => enter.append("rect").call((rect) => rect.append("title")))
      .attr("data-neuron", (d) => d.neuron)
      .attr("x", (_, i) => i * cell)
      .attr("width", Math.max(0.5, cell - (cell >= 4 ? 1 : 0)))
      .attr("y", (d) => Math.min(y(d.from), y(d.to)))
      .attr("height", (d) => Math.max(d.off ? 0 : 0.75, Math.abs(y(d.to) - y(d.from))))
      .attr("fill", (d) => (d.value < 0 ? theme.negative : theme.positive))
      .select("title")
      .text((d) => neuronSaid(d));
    const zero = [{ x1: 0, x2: width + 6, at: y(0), stroke: theme.hairline }];
    const end = { x1: width, x2: width + 8, at: y(sum), stroke: theme.ink };
    svg
      .selectAll("line")
      .data([...zero, end])
      .join("line")
      .attr("x1", (d) => d.x1)
      .attr("x2", (d) => d.x2)
      .attr("y1", (d) => d.at)
      .attr("y2", (d) => d.at)
      .attr("stroke", (d) => d.stroke);
    const ticks = labeled(bars.length, cell, 22, BINARY_STEPS).map((i) => ({
      ...{ x: (i + 0.5) * cell, y: HEIGHT + 11, anchor: "middle", size: 9, color: theme.muted },
      text: String(bars[i].neuron),
    }));
    const total = {
      x: width + 12,
      y: Math.max(12, y(sum) + 4),
      anchor: "start",
      size: 12,
      color: theme.ink,
    };
    svg
      .selectAll("text")
      .data([...ticks, { ...total, text: `Σ ${shortSigned(sum)}` }])
      .join("text")
      .attr("x", (d) => d.x)
      .attr("y", (d) => d.y)
      .attr("text-anchor", (d) => d.anchor)
      .attr("font-size", (d) => d.size)
      .attr("fill", (d) => d.color)
      .text((d) => d.text);
  }

  /** @param {Steps} steps */
  #drawNumbers(steps) {
    select(this.#numbers)
      .selectAll("span.step")
      .data(numbersOf(steps))
      .join((enter) =>
        enter
          .append("span")
          .attr("class", "step")
          .call((step) => step.append("span").attr("class", "label"))
          .call((step) => step.append("b"))
          .call((step) => step.append("span").attr("class", "own")),
      )
      .attr("data-step", (d) => d.name)
      .call((step) => step.select(".label").text((d) => d.label))
      .call((step) => step.select("b").text((d) => d.shown))
      .call((step) => step.select(".own").text((d) => (d.shown === d.own ? "" : `model ${d.own}`)));
  }
}

/** @param {number} temperature */
const clamped = (temperature) =>
  Math.min(TEMPERATURES[1], Math.max(TEMPERATURES[0], Math.round(1000 * temperature) / 1000));

/** @param {Steps["bars"][number]} step */
const neuronSaid = ({ neuron, value, to, off }) =>
  off
    ? `neuron ${neuron} is switched off`
    : `neuron ${neuron}: ${exactSigned(value)}, in all ${exactSigned(to)}`;

/**
 * From the sum to the weight.
 * @param {Steps} steps
 * @returns {Said[]}
 */
function numbersOf({ sum, bars, softcap, bias, masked, temperature, shown, own }) {
  if (masked) {
    return [{ name: "score", label: "masked: no weight", shown: "0.000", own: "0.000" }];
  }
  const added = bias && bias !== -Infinity ? ` ${shortSigned(bias)} bias` : "";
  const capped = softcap ? `, capped at ±${softcap}` : "";
  const neurons = bars.filter(({ off }) => !off).length;
  const said = (/** @type {(weighing: Steps["own"]) => string} */ write) => ({
    shown: write(shown),
    own: write(own),
  });
  return [
    {
      name: "score",
      label: `score: Σ of ${neurons} products${softcap || added ? ` ${shortSigned(sum)}` : ""}${capped}${added}`,
      ...said(({ score }) => exactSigned(score)),
    },
    {
      name: "distance",
      label: `minus the row’s largest, ${shortSigned(shown.largest)}${temperature === 1 ? "" : `, divided by ${shortTemperature(temperature)}`}`,
      ...said(({ distance }) => (distance ? exactSigned(distance) : "0")),
    },
    { name: "size", label: "exp of it", ...said(({ size }) => three(size)) },
    {
      name: "weight",
      label: `divided by the row’s sum of these, ${three(shown.sum)}: softmax`,
      ...said(({ weight }) => three(weight)),
    },
  ];
}
