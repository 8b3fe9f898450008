import assert from "node:assert/strict";
import { test } from "node:test";
import { neuronScene } from "../../../bertviz/js/scenes/neuron.js";
import {
  neuronText,
  notesOf,
  sentenceOf,
  tokenText,
} from "../../../bertviz/js/scenes/neuron_texts.js";
import { nextState } from "../../../bertviz/js/state.js";
import { neuronView } from "../neuron_fixtures.js";

test("notes say what the columns alone do not", () => {
  const { payload, source, start } = neuronView({
    ...{ keyHead: [0, 0], rotary: true, softcap: 2, sinks: [9, 9] },
  });
  const state = nextState(payload, start, { off: [1], pair: "A→B" });
  const notes = notesOf(neuronScene(source, state), state);
  assert.match(notes, /rotary position embedding/);
  assert.match(notes, /Heads 2–9 share these keys/);
  assert.match(notes, /capped: 2 · tanh\(Σ \/ 2\)/);
  assert.match(
    notes,
    /Without neuron 1, (less than 1|\d+)% of this row’s attention moves elsewhere\./,
  );
  assert.match(notes, /sink takes (0\.9\d|1\.00) of this row/);
  assert.match(notes, /lies outside A→B\.$/);
  const plain = neuronView();
  assert.equal(notesOf(neuronScene(plain.source, plain.start), plain.start), "");
});

test("a key's tooltip adds up to its weight", () => {
  const bias = { data: Float32Array.from([0, 1, -Infinity, 0.5]), shape: [1, 1, 4] };
  const { source, start } = neuronView({ bias });
  const scene = neuronScene(source, { ...start, query: 0 });
  const { row } = scene;
  const lines = tokenText(scene, 0, "key", 1).split("\n");
  assert.match(lines[0], /^a → b/);
  const [sum, added, score] = lines
    .slice(1, 4)
    .map((line) => Number(line.match(/[+−]?[\d.]+$/)?.[0].replace("−", "-")));
  assert.ok(Math.abs(sum + added - score) < 1e-3, lines.join(" | "));
  assert.equal(lines[4], `softmax  ${row.weights[1].toFixed(4)}`);
  assert.match(tokenText(scene, 0, "key", 2), /score {2}masked\nsoftmax {2}0\.0000$/);
  assert.match(tokenText(scene, 0, "query", 2), /^c {2}\(position 2/);
  assert.match(tokenText(scene, null, "key", 2), /^c {2}\(position 2/);
});

test("a neuron's tooltip has its value, and says whether it is off", () => {
  const { payload, source, start } = neuronView();
  const state = nextState(payload, start, { query: 1, off: [2] });
  const scene = neuronScene(source, state);
  const picked = /** @type {const} */ ({ name: "k", column: "keys", side: "key", position: 3 });
  const text = neuronText(scene, state, { ...picked, neuron: 2 });
  const value = Math.abs(scene.columns.keys[3 * 3 + 2]).toFixed(4);
  assert.match(text, new RegExp(`^neuron 2 of d\nk = [+−]${value}\ncontribution to the row`));
  assert.match(text, /switched off; click to switch on$/);
  assert.match(neuronText(scene, state, { ...picked, neuron: 0 }), /click to switch off$/);
});

test("a sentence names the three keys that are attended to most", () => {
  const { payload, source, start } = neuronView();
  const scene = neuronScene(source, nextState(payload, start, { query: 1 }));
  assert.equal(sentenceOf(scene, [0.1, 0.5, 0, 0.4]), "b attends to b 0.50, d 0.40, a 0.10");
});
