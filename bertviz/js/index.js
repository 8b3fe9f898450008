// The bundle's entry: an output's script calls mount once with its payload.

import { headView } from "./head_view.js";
import { modelView } from "./model_view.js";
import { neuronView } from "./neuron_view.js";
import { showError, Shell } from "./shell.js";

/** @type {Record<string, import("./shell.js").View>} */
const VIEWS = { head: headView, model: modelView, neuron: neuronView };

/**
 * Draws into every host of this output that is not alive yet: usually the one beside the script,
 * and a clone of it when a notebook shows the same output in a second place.
 * @param {string} id
 * @param {import("./payload.js").Payload} payload
 */
export function mount(id, payload) {
  /** @type {NodeListOf<HTMLElement>} */
  const hosts = document.querySelectorAll(`[data-bertviz-id="${id}"]`);
  for (const host of hosts) {
    if ("bertviz" in host) continue;
    try {
      new Shell(host, payload, VIEWS);
    } catch (error) {
      showError(host, error);
    }
  }
}
