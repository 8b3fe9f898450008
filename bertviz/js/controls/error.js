// A view that fails says so where it would have been drawn; a blank would leave a reader waiting.

/**
 * @param {HTMLElement} host
 * @param {string} view "head", "model" or "neuron"
 * @param {unknown} error
 */
export function showError(host, view, error) {
  const sentence =
    `The ${view} view could not be drawn: ` +
    (error instanceof Error ? error.message : String(error));
  console.error(sentence, error);
  const shadow = host.shadowRoot ?? host.attachShadow({ mode: "open" });
  const paragraph = document.createElement("p");
  paragraph.setAttribute("role", "alert");
  paragraph.textContent = sentence;
  shadow.replaceChildren(paragraph);
  host.dataset.state = "error";
}
