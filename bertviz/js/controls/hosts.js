// Where an output is drawn. Its script knows the id of its host, and not where a frontend put it.

/**
 * Elements of an output that no view has been drawn into.
 * @param {string} id
 * @returns {HTMLElement[]}
 */
export function freshHosts(id) {
  const found = hostsIn(document, id);
  return found.length ? found : hostsBelow(document, id);
}

/**
 * @param {Document | ShadowRoot} root
 * @param {string} id
 * @returns {HTMLElement[]}
 */
function hostsIn(root, id) {
  /** @type {NodeListOf<HTMLElement>} */
  const hosts = root.querySelectorAll(`[data-bertviz-id="${id}"]`);
  return [...hosts].filter((host) => !("bertviz" in host));
}

/**
 * In every open shadow root: the page may be made of components.
 * @param {Document | ShadowRoot} root
 * @param {string} id
 * @returns {HTMLElement[]}
 */
function hostsBelow(root, id) {
  return [...root.querySelectorAll("*")].flatMap(({ shadowRoot }) =>
    shadowRoot ? [...hostsIn(shadowRoot, id), ...hostsBelow(shadowRoot, id)] : [],
  );
}
