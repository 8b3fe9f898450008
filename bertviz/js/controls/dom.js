// Putting elements into the page.

/**
 * @param {HTMLElement | ShadowRoot} parent
 * @param {string} className
 * @param {string} [tag]
 */
export function add(parent, className, tag = "div") {
  const element = document.createElement(tag);
  element.className = className;
  parent.append(element);
  return element;
}

/**
 * @param {HTMLElement} element
 * @param {number} left
 * @param {number} width
 */
export function place(element, left, width) {
  Object.assign(element.style, { left: `${left}px`, width: `${width}px` });
}
