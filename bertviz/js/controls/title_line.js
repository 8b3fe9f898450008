// The sentence above a picture that says what it shows, with the color of the head it speaks of.

import { add } from "./dom.js";

/**
 * @param {HTMLElement} root
 * @param {import("./frame.js").Frame} frame
 */
export function addTitleLine(root, frame) {
  const element = add(root, "title-line");
  const chip = add(element, "chip", "span");
  const text = add(element, "", "span");
  text.dataset.part = "title";
  return {
    /**
     * @param {string} sentence
     * @param {number | null} head that it is of, if it is of one
     */
    draw(sentence, head) {
      text.textContent = element.title = sentence;
      chip.hidden = head === null;
      if (head === null) return;
      const theme = frame.theme();
      chip.textContent = String(head);
      Object.assign(chip.style, { background: theme.head(head), color: theme.onHead });
    },
  };
}
