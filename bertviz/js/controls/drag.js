// Dragging on an element: a press, and the way that the pointer goes from there. The same for the
// matrix, where a short way is a click, and for the overview.

/** @typedef {{x: number, y: number}} Place in the element, in CSS pixels */
/**
 * @typedef {object} On
 * @property {(from: Place) => void} [press]
 * @property {(from: Place, at: Place) => void} drag on the way
 * @property {(from: Place, at: Place) => void} [drop] at its end
 * @property {(at: Place) => void} [click] released where it was pressed
 * @property {() => void} [end] released or given up, before drop and click
 * @property {(at: Place, event: PointerEvent) => void} [hover] moved without a drag
 * @property {(pressed: boolean) => void} [leave]
 */

/**
 * @param {Place} one
 * @param {Place} other
 */
export const distance = (one, other) => Math.hypot(one.x - other.x, one.y - other.y);

/**
 * @param {HTMLElement} element
 * @param {number} least pixels; up to that way it is a click
 * @param {On} on
 */
export function listenForDrags(element, least, on) {
  /** @type {Place | null} */
  let from = null;
  const placeOf = (/** @type {PointerEvent} */ event) => {
    const around = element.getBoundingClientRect();
    return { x: event.clientX - around.left, y: event.clientY - around.top };
  };
  element.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    from = placeOf(event);
    on.press?.(from);
    element.setPointerCapture(event.pointerId);
  });
  element.addEventListener("pointermove", (event) => {
    const at = placeOf(event);
    if (from && distance(from, at) > least) on.drag(from, at);
    else on.hover?.(at, event);
  });
  element.addEventListener("pointerup", (event) => {
    if (!from) return;
    const [start, at] = [from, placeOf(event)];
    from = null;
    on.end?.();
    if (distance(start, at) > least) on.drop?.(start, at);
    else on.click?.(at);
  });
  element.addEventListener("pointercancel", () => {
    from = null;
    on.end?.();
  });
  element.addEventListener("pointerleave", () => on.leave?.(from !== null));
}
