// Saving the picture as a file, exactly as it is shown.

import { add } from "./dom.js";

/** @typedef {import("./frame.js").Frame} Frame */

const LARGEST_PNG = 32_000; // pixels of a side; beyond that browsers give an empty canvas
const SHARPNESS = 2; // pixels of a PNG per CSS pixel
const KEPT = 10_000; // milliseconds until a downloaded file is forgotten

/**
 * @param {HTMLElement} toolbar
 * @param {Frame} frame
 */
export function addSave(toolbar, frame) {
  const group = add(toolbar, "save", "span");
  group.append("Save");
  const buttons = /** @type {const} */ (["svg", "png"]).map((format) => {
    const button = add(group, "link", "button");
    button.dataset.action = format;
    button.textContent = format.toUpperCase();
    button.setAttribute("aria-label", `Save as ${button.textContent}`);
    return { button, format };
  });
  const error = add(group, "", "span");
  error.setAttribute("role", "alert");
  for (const { button, format } of buttons) {
    button.addEventListener("click", async () => {
      error.textContent = "";
      try {
        await download(frame, format);
      } catch (reason) {
        error.textContent = `Not saved: ${reason instanceof Error ? reason.message : reason}`;
      }
    });
  }
}

/**
 * @param {Frame} frame
 * @param {"svg" | "png"} format
 */
async function download(frame, format) {
  const svg = new Blob([await frame.svg()], { type: "image/svg+xml" });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(format === "svg" ? svg : await pngOf(svg));
  link.download = `${frame.state().view}_view.${format}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), KEPT);
}

/**
 * @param {Blob} svg
 * @returns {Promise<Blob>}
 */
async function pngOf(svg) {
  const image = new Image();
  const address = URL.createObjectURL(svg);
  image.setAttribute("src", address);
  await image.decode();
  URL.revokeObjectURL(address);
  const canvas = document.createElement("canvas");
  canvas.width = SHARPNESS * image.naturalWidth;
  canvas.height = SHARPNESS * image.naturalHeight;
  const tooLarge =
    "the picture is too large for a PNG. Select a window of the text, or save it as SVG.";
  if (Math.max(canvas.width, canvas.height) > LARGEST_PNG) throw new Error(tooLarge);
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve, reject) =>
    canvas.toBlob((png) => (png ? resolve(png) : reject(new Error(tooLarge)))),
  );
}
