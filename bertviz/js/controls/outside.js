// Listening outside of a view. A notebook takes outputs out of the page, for good when a cell runs
// again, for a while when it is scrolled away; a listener on the document would keep every view
// that ever was, with all of its data. So what listens outside does not hold its view.

/** @type {WeakMap<Element, Function[]>} handlers live as long as the element they are for */
const kept = new WeakMap();

/**
 * A handler that is called while its element is in the page, and does not keep it alive.
 * @template {(...args: any[]) => void} F
 * @param {Element} element
 * @param {F} handle
 * @param {() => void} stop called when the element is gone for good
 * @returns {(...args: Parameters<F>) => void}
 */
export function whileAlive(element, handle, stop) {
  kept.set(element, [...(kept.get(element) ?? []), handle]);
  const own = { element: new WeakRef(element), handle: new WeakRef(handle) };
  return (...args) => {
    const alive = own.element.deref();
    if (!alive) stop();
    else if (alive.isConnected) own.handle.deref()?.(...args);
  };
}

/**
 * Keys, wherever in the page they are pressed, before anybody else; but not those that are written
 * into a field of the element, or that one of its dialogs takes.
 * @param {Element} element
 * @param {(event: KeyboardEvent) => void} handle
 */
export function listenForKeys(element, handle) {
  const listener = whileAlive(element, unwritten(element, handle), () =>
    document.removeEventListener("keydown", listener, { capture: true }),
  );
  document.addEventListener("keydown", listener, { capture: true });
}

/**
 * A function of its own: closures of one function share what any of them holds, and what the document
 * holds must not hold the element.
 * @param {Element} element
 * @param {(event: KeyboardEvent) => void} handle
 * @returns {(event: KeyboardEvent) => void}
 */
function unwritten(element, handle) {
  return (event) => {
    const path = event.composedPath();
    const isField = path[0] instanceof HTMLInputElement && /search|text|range/.test(path[0].type);
    const isTaken = path.some((e) => e instanceof Element && e.role === "dialog");
    if (!((isField || isTaken) && path.includes(element))) handle(event);
  };
}
