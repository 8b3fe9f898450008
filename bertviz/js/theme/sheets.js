// Style sheets that a policy lets us have: made by the script, not parsed from the page. A policy
// that refuses inline styles refuses <style> elements, also in a shadow root.

import STYLE from "./style.css";

/**
 * Gives a shadow root our style.
 * @param {ShadowRoot} shadow
 * @returns {CSSStyleSheet} a second sheet, for what changes
 */
export function addStyle(shadow) {
  const [fixed, changing] = [new CSSStyleSheet(), new CSSStyleSheet()];
  fixed.replaceSync(STYLE);
  shadow.adoptedStyleSheets = [fixed, changing];
  return changing;
}
