// Which of the two themes applies. A notebook's dark mode is not the system's (JupyterLab Dark on a
// light desktop is common), so the page around the host is asked first.

import { whileAlive } from "../controls/outside.js";

/** @typedef {import("./colors.js").Mode} Mode */

/**
 * The theme of the page around a host.
 * @param {HTMLElement} host
 * @returns {Mode}
 */
export function detectMode(host) {
  for (const element of [document.body, document.documentElement]) {
    const { dataset } = element;
    if (dataset.jpThemeLight) return dataset.jpThemeLight === "false" ? "dark" : "light";
    const kind = dataset.vscodeThemeKind ?? dataset.theme ?? element.getAttribute("theme");
    if (kind) return /dark|high-contrast$/.test(kind) ? "dark" : "light";
  }
  // No notebook that says: the ground that the host stands on, then the ink it would write with.
  for (let element = /** @type {Element | null} */ (host); element; element = above(element)) {
    const ground = luminance(getComputedStyle(element).backgroundColor);
    if (ground !== null) return ground < 0.4 ? "dark" : "light";
  }
  const ink = luminance(getComputedStyle(host).color);
  return ink !== null && ink > 0.6 ? "dark" : "light";
}

/**
 * The element around another, also where that one is the child of a shadow root.
 * @param {Element} element
 * @returns {Element | null}
 */
function above(element) {
  const { parentNode } = element;
  return parentNode instanceof ShadowRoot ? parentNode.host : element.parentElement;
}

/**
 * Calls back when the page around a host changes its theme.
 * @param {HTMLElement} host
 * @param {() => void} changed
 */
export function watchMode(host, changed) {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const noticed = whileAlive(host, changed, () => {
    observer.disconnect();
    system.removeEventListener("change", noticed);
  });
  const observer = new MutationObserver(noticed);
  for (const element of [document.documentElement, document.body]) {
    observer.observe(element, { attributes: true });
  }
  system.addEventListener("change", noticed);
}

/**
 * @param {string} color as computed by the browser, rgb() or rgba()
 * @returns {number | null} 0..1, null when it is transparent
 */
function luminance(color) {
  const parts = color.match(/[\d.]+/g)?.map(Number);
  if (!parts || parts.length < 3 || (parts.length > 3 && parts[3] < 0.5)) return null;
  const [r, g, b] = color.startsWith("color(") ? parts.map((v) => 255 * v) : parts;
  return (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255;
}
