// Saving the picture as a file, exactly as it is shown.

import { add } from "./dom.js";
import { mayDownload } from "./sandbox.js";

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
  add(group, "word", "span").textContent = "Save";
  const buttons = /** @type {const} */ (["svg", "png"]).map((format) => {
    const button = add(group, "link", "button");
    button.dataset.action = format;
    button.textContent = format.toUpperCase();
    button.setAttribute("aria-label", `Save as ${button.textContent}`);
    return { button, format };
  });
  const said = add(group, "", "span");
  said.setAttribute("role", "alert");
  for (const { button, format } of buttons) {
    button.addEventListener("click", async () => {
      said.textContent = "";
      try {
        const link = linkTo(await fileOf(frame, format), `${frame.state().view}_view.${format}`);
        download(link, said);
      } catch (reason) {
        said.textContent = `Not saved: ${reason instanceof Error ? reason.message : reason}`;
      }
    });
  }
}

/**
 * @param {Frame} frame
 * @param {"svg" | "png"} format
 */
async function fileOf(frame, format) {
  const svg = new Blob([await frame.svg()], { type: "image/svg+xml" });
  return format === "svg" ? svg : pngOf(svg);
}

/**
 * @param {Blob} file
 * @param {string} name
 */
function linkTo(file, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = link.textContent = name;
  return link;
}

/**
 * Downloads a file, or says that the frame around us refuses. The reader may: what a browser's own
 * menu saves is not the frame's download.
 * @param {HTMLAnchorElement} link
 * @param {HTMLElement} said
 */
function download(link, said) {
  const may = mayDownload();
  if (may !== "no") link.click();
  if (may === "yes") {
    setTimeout(() => URL.revokeObjectURL(link.href), KEPT);
    return;
  }
  const refused =
    may === "no"
      ? "Not saved: this page is in a sandbox that refuses downloads."
      : "If no file arrives, this page is in a sandbox that refuses downloads.";
  said.append(`${refused} Save the link with a right-click: `, link);
}

/**
 * @param {Blob} svg
 * @returns {Promise<Blob>}
 */
async function pngOf(svg) {
  const image = new Image();
  const address = URL.createObjectURL(svg);
  image.setAttribute("src", address);
  try {
    await image.decode();
  } catch {
    throw new Error(
      "the picture could not be made into a PNG; the page's policy may refuse it (img-src blob:)." +
        " Save it as SVG.",
    );
  } finally {
    URL.revokeObjectURL(address);
  }
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
