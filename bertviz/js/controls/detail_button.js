// ⊕ and ⊖, always in sight: shows and hides how a head's attention is computed.

const LEFT = 8;

/** @param {import("./frame.js").Frame} frame */
export function addDetailButton(frame) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "toggle";
  button.dataset.action = "detail";
  button.addEventListener("click", () => frame.set({ detail: !frame.state().detail }));
  return {
    /**
     * @param {HTMLElement} parent
     * @param {boolean} open
     */
    draw(parent, open) {
      if (button.parentElement !== parent) {
        const focused = button.matches(":focus");
        parent.prepend(button);
        if (focused) button.focus();
      }
      this.move(0);
      button.textContent = open ? "−" : "+";
      button.title = open ? "Hide the computation" : "Show the computation";
      button.setAttribute("aria-label", button.title);
      button.setAttribute("aria-expanded", String(open));
    },
    /** @param {number} shift to the right, as far as its headings are scrolled */
    move(shift) {
      button.style.left = `${LEFT + shift}px`;
    },
  };
}
