// Every color of a view. They are numbers here and not in the style sheet, because canvases and SVG
// files are painted with them too.

/** @typedef {"light" | "dark"} Mode */
/**
 * @typedef {object} Theme
 * @property {Mode} mode
 * @property {string} ground
 * @property {string} surface cells of a grid
 * @property {string} ink
 * @property {string} muted
 * @property {string} hairline
 * @property {string} accent
 * @property {string} field behind what is selected
 * @property {string} positive
 * @property {string} negative
 * @property {string} onHead text on a head's color
 * @property {(head: number) => string} head
 * @property {(fraction: number) => string} layer from the first layer (0) to the last (1)
 * @property {(fraction: number) => string} value of a number, from the smallest (0) to the largest (1)
 * @property {(fraction: number) => string} diverging of a number with a sign, −1..1
 * @property {(ground: string) => string} inkOn what can be read on a ground
 */

/** @type {Record<Mode, Theme>} */
export const THEMES = {
  light: {
    mode: "light",
    ground: "#ffffff",
    surface: "#f4f5f6",
    ink: "#1f2328",
    muted: "#656d76",
    hairline: "#d8dee4",
    accent: "#0969da",
    field: "#eaf3fd",
    positive: "#0b62c4",
    negative: "#d9580d",
    onHead: "#ffffff",
    head: (head) => headColor(head, 0.5, 0.05),
    layer: (fraction) => oklch(0.55, 0.11, 210 + 120 * fraction),
    value: ramp((f) => oklch(0.955 - 0.5 * f, 0.008 + 0.15 * f, 300)),
    diverging: ramp((f) => mixed("#f4f5f6", f < 0 ? "#d9580d" : "#0b62c4", Math.abs(f))),
    inkOn: (ground) => (luminanceOf(ground) > 0.5 ? "#1f2328" : "#ffffff"),
  },
  dark: {
    mode: "dark",
    ground: "#0f1419",
    surface: "#1b2027",
    ink: "#e6edf3",
    muted: "#8b949e",
    hairline: "#2b333c",
    accent: "#58a6ff",
    field: "#12304f",
    positive: "#58a6ff",
    negative: "#ff9248",
    onHead: "#0f1419",
    head: (head) => headColor(head, 0.75, 0.05),
    layer: (fraction) => oklch(0.72, 0.12, 210 + 120 * fraction),
    value: ramp((f) => oklch(0.25 + 0.45 * f, 0.01 + 0.15 * f, 300)),
    diverging: ramp((f) => mixed("#1b2027", f < 0 ? "#ff9248" : "#58a6ff", Math.abs(f))),
    inkOn: (ground) => (luminanceOf(ground) > 0.5 ? "#0f1419" : "#e6edf3"),
  },
};

/**
 * A color for every hundredth, made once: thousands of cells ask at a time.
 * @param {(fraction: number) => string} color
 * @returns {(fraction: number) => string}
 */
function ramp(color) {
  /** @type {Map<number, string>} */
  const known = new Map();
  return (fraction) => {
    const step = Math.round(100 * fraction);
    let found = known.get(step);
    if (!found) known.set(step, (found = color(step / 100)));
    return found;
  };
}

/** Red, green and blue, 0..255. @param {string} hex as in "#0969da" */
export const channels = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));

/** @param {number[]} rgb 0..255 */
const hexOf = (rgb) => `#${rgb.map((v) => Math.round(v).toString(16).padStart(2, "0")).join("")}`;

/**
 * Between two colors.
 * @param {string} from
 * @param {string} to
 * @param {number} part 0..1
 */
function mixed(from, to, part) {
  const [a, b] = [channels(from), channels(to)];
  return hexOf(a.map((v, i) => v + (b[i] - v) * part));
}

/** @param {string} hex */
function luminanceOf(hex) {
  const [red, green, blue] = channels(hex);
  return (0.2126 * red + 0.7152 * green + 0.0722 * blue) / 255;
}

/**
 * Twelve hues, consecutive heads far apart; what is next to each other in hue differs in lightness.
 * Each further dozen stands between the hues before; from 36 on colors repeat and numbers tell.
 * @param {number} head
 * @param {number} lightness
 * @param {number} step
 */
function headColor(head, lightness, step) {
  const place = (head * 5) % 12;
  const hue = 25 + 30 * place + 10 * (Math.floor(head / 12) % 3);
  return oklch(lightness + (place % 2 ? step : -step), 0.15, hue);
}

/** The curve of sRGB. @param {number} linear 0..1 */
const encoded = (linear) =>
  linear <= 0.0031308 ? 12.92 * linear : 1.055 * linear ** (1 / 2.4) - 0.055;

/**
 * OKLCH to hex; the chroma gives way where sRGB ends, lightness and hue do not.
 * Björn Ottosson, "A perceptual color space for image processing" (2020).
 * @param {number} lightness 0..1
 * @param {number} chroma
 * @param {number} hue degrees
 */
export function oklch(lightness, chroma, hue) {
  const angle = (hue * Math.PI) / 180;
  for (let c = chroma; ; c -= 0.005) {
    const a = Math.max(c, 0) * Math.cos(angle);
    const b = Math.max(c, 0) * Math.sin(angle);
    const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
    const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
    const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
    const rgb = [
      4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
      -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
      -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
    ];
    if (c <= 0 || rgb.every((v) => v >= -0.0005 && v <= 1.0005)) {
      return hexOf(rgb.map((v) => 255 * encoded(Math.min(Math.max(v, 0), 1))));
    }
  }
}

/**
 * The theme as CSS variables.
 * @param {Theme} theme
 */
export function cssVariables(theme) {
  const names = /** @type {const} */ ([
    "ground",
    "surface",
    "ink",
    "muted",
    "hairline",
    "accent",
    "field",
    "positive",
    "negative",
  ]);
  return names.map((name) => `--${name}: ${theme[name]};`).join(" ");
}
