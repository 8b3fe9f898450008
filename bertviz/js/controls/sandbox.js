// May this frame download? A sandbox refuses without a word, an exception or an event, so it has to
// be asked before.

/**
 * @returns {"yes" | "no" | "unknown"} unknown where nobody inside can read the sandbox: in a frame
 *   of another origin, or when a server asked for it
 */
export function mayDownload() {
  for (let frame = window; frame !== frame.parent; frame = /** @type {any} */ (frame.parent)) {
    const element = elementOf(frame);
    if (!element) return "unknown";
    const { sandbox } = element;
    if (element.hasAttribute("sandbox") && !sandbox.contains("allow-downloads")) return "no";
  }
  // A server may put a page of its own into a sandbox, as Jupyter's does; it then has no origin.
  // Nor has a file, which may download.
  return origin === "null" && location.protocol !== "file:" ? "unknown" : "yes";
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
