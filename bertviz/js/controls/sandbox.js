// May this frame download? A sandbox refuses without a word, an exception or an event, so it has to
// be asked before.

/**
 * @returns {"yes" | "no" | "unknown"} unknown in a frame of another origin, whose sandbox nobody
 *   inside can read
 */
export function mayDownload() {
  for (let frame = window; frame !== frame.parent; frame = /** @type {any} */ (frame.parent)) {
    const element = elementOf(frame);
    if (!element) return "unknown";
    const { sandbox } = element;
    if (element.hasAttribute("sandbox") && !sandbox.contains("allow-downloads")) return "no";
  }
  return "yes";
}

/**
 * @param {Window} frame
 * @returns {HTMLIFrameElement | null} null when its page is of another origin
 */
function elementOf(frame) {
  try {
    return /** @type {HTMLIFrameElement | null} */ (frame.frameElement);
  } catch {
    return null;
  }
}
