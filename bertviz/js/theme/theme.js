// Every colour, and which of the two themes applies. A notebook's dark mode is not the system's
// (JupyterLab Dark on a light desktop is common), so the page around the host is asked first.

import { whileAlive } from "../controls/outside.js";

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
 * @property {string} onHead text on a head's colour
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
 * A colour for every hundredth, made once: thousands of cells ask at a time.
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

/**
 * Between two colours.
 * @param {string} from
 * @param {string} to
 * @param {number} part 0..1
 */
function mixed(from, to, part) {
  const [a, b] = [channels(from), channels(to)];
  const mix = a.map((v, i) => Math.round(v + (b[i] - v) * part).toString(16).padStart(2, "0"));
  return `#${mix.join("")}`;
}

/** @param {string} hex */
function luminanceOf(hex) {
  const [red, green, blue] = channels(hex);
  return (0.2126 * red + 0.7152 * green + 0.0722 * blue) / 255;
}

/**
 * Twelve hues, consecutive heads far apart; what is next to each other in hue differs in lightness.
 * Each further dozen stands between the hues before; from 36 on colours repeat and numbers tell.
 * @param {number} head
 * @param {number} lightness
 * @param {number} step
 */
function headColor(head, lightness, step) {
  const place = (head * 5) % 12;
  const hue = 25 + 30 * place + 10 * (Math.floor(head / 12) % 3);
  return oklch(lightness + (place % 2 ? step : -step), 0.15, hue);
}

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
      return (
        "#" +
        rgb
          .map((v) => {
            const linear = Math.min(Math.max(v, 0), 1);
            const gamma = linear <= 0.0031308 ? 12.92 * linear : 1.055 * linear ** (1 / 2.4) - 0.055;
            return Math.round(255 * gamma)
              .toString(16)
              .padStart(2, "0");
          })
          .join("")
      );
    }
  }
}

/**
 * The theme of the page around a host.
 * @param {HTMLElement} host
 * @returns {Mode}
 */
export function detectMode(host) {
  for (const element of [document.body, document.documentElement]) {
    const { dataset } = element;
    if (dataset.jpThemeLight) return dataset.jpThemeLight === "false" ? "dark" : "light";
    const kind = dataset.vscodeThemeKind ?? dataset.theme ?? element.getAttribute("theme");
    if (kind) return /dark|high-contrast$/.test(kind) ? "dark" : "light";
  }
  // No notebook that says: the ground that the host stands on, then the ink it would write with.
  for (let element = /** @type {Element | null} */ (host); element; element = element.parentElement) {
    const ground = luminance(getComputedStyle(element).backgroundColor);
    if (ground !== null) return ground < 0.4 ? "dark" : "light";
  }
  const ink = luminance(getComputedStyle(host).color);
  return ink !== null && ink > 0.6 ? "dark" : "light";
}

/**
 * Calls back when the page around a host changes its theme.
 * @param {HTMLElement} host
 * @param {() => void} changed
 */
export function watchMode(host, changed) {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const noticed = whileAlive(host, changed, () => {
    observer.disconnect();
    system.removeEventListener("change", noticed);
  });
  const observer = new MutationObserver(noticed);
  for (const element of [document.documentElement, document.body]) {
    observer.observe(element, { attributes: true });
  }
  system.addEventListener("change", noticed);
}

/**
 * @param {string} color as computed by the browser, rgb() or rgba()
 * @returns {number | null} 0..1, null when it is transparent
 */
function luminance(color) {
  const parts = color.match(/[\d.]+/g)?.map(Number);
  if (!parts || parts.length < 3 || (parts.length > 3 && parts[3] < 0.5)) return null;
  const [r, g, b] = color.startsWith("color(") ? parts.map((v) => 255 * v) : parts;
  return (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255;
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

const CHEVRON =
  "url(\"data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 10 6'%3E" +
  "%3Cpath d='M1 1l4 4 4-4' fill='none' stroke='%237d8590' stroke-width='1.4'/%3E%3C/svg%3E\")";

export const STYLE = `
:host { display: block; --chevron: ${CHEVRON}; }
.view {
  position: relative; color: var(--ink); text-align: left; direction: ltr; max-width: 100%;
  font: 400 12px/1.4 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif;
  font-variant-numeric: tabular-nums; -webkit-font-smoothing: antialiased; padding: 4px 8px 8px;
  box-sizing: border-box; contain: layout style;
}
.view.grounded { background: var(--ground); border-radius: 8px; padding: 12px 16px; }
.view, .view * { box-sizing: border-box; }
.toolbar { display: flex; flex-wrap: wrap; align-items: center; gap: 8px 20px; min-height: 30px; }
.toolbar:empty { display: none; }
.toolbar label { display: inline-flex; align-items: center; gap: 8px; color: var(--muted); }
.toolbar label[hidden] { display: none; }
.toolbar .end { margin-left: auto; }
select, button { font: inherit; }
select {
  color: var(--ink); border: 1px solid var(--hairline); border-radius: 6px; height: 28px;
  min-width: 64px; padding: 0 26px 0 10px; appearance: none; cursor: pointer;
  background: var(--chevron) no-repeat right 8px center / 10px 6px;
}
select option { color: var(--ink); background: var(--ground); }
button { color: var(--ink); background: none; border: 0; padding: 0; cursor: pointer; }
.link { color: var(--accent); }
.link:hover { text-decoration: underline; }
:focus { outline: none; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
.heads { display: flex; align-items: flex-start; gap: 8px; color: var(--muted); margin-top: 8px; }
.heads > span { line-height: 24px; }
.squares { display: flex; flex-wrap: wrap; gap: 4px; }
.squares button {
  min-width: 24px; height: 24px; padding: 0 3px; border-radius: 5px; font-weight: 600;
  font-size: 11px; border: 1px solid transparent; touch-action: manipulation;
}
.squares button[aria-pressed="false"] {
  background: transparent !important; border-color: var(--hairline); color: var(--muted) !important;
  font-weight: 400;
}
.heads .link { line-height: 24px; }
.headings { position: relative; height: 20px; margin-top: 18px; color: var(--muted); font-size: 11px; }
.headings > * { position: absolute; white-space: nowrap; }
.headings.columns { height: 74px; overflow: clip; }
.strip { bottom: 2px; }
.strip-name {
  bottom: 2px; font-size: 9px; line-height: 16px; text-align: right; overflow: hidden;
  text-overflow: ellipsis;
}
.ticks { left: 0; right: 0; bottom: 20px; height: 12px; }
.ticks span {
  position: absolute; bottom: 0; transform: translateX(-50%); font-size: 9px; line-height: 12px;
}
.titles > div { position: absolute; display: flex; flex-direction: column; white-space: nowrap; }
.titles b { color: var(--ink); font-weight: 600; font-size: 13.5px; line-height: 18px; min-height: 18px; }
.titles span { line-height: 16px; overflow: hidden; text-overflow: ellipsis; }
.toggle {
  top: 17px; width: 16px; height: 16px; border: 1.5px solid var(--accent);
  border-radius: 50%; color: var(--accent); font-weight: 600; font-size: 13px; line-height: 12px;
}
.toggle:hover { background: var(--field); }
.closed .headings { height: 40px; }
.closed .headings > span { bottom: 4px; }
.notes { margin-top: 8px; color: var(--muted); font-size: 11px; }
.notes:empty { display: none; }
.stage { position: relative; overflow: auto; overscroll-behavior: auto; }
.sheet { position: relative; }
.pane { position: sticky; top: 0; pointer-events: none; }
.pane canvas { position: absolute; top: 0; left: 0; }
.column { position: absolute; top: 0; }
.token {
  position: absolute; left: 0; right: 0; height: 24px; line-height: 22px; font-size: 13.5px;
  padding: 0 8px; white-space: pre; overflow: hidden; text-overflow: ellipsis; cursor: default;
  border: 1px solid transparent; border-radius: 6px; color: var(--ink); user-select: none;
  -webkit-user-select: none;
  text-shadow: 0 0 2px var(--ground), 0 0 2px var(--ground), 0 0 3px var(--ground);
}
.column.query .token { text-align: right; }
.column.key .token { text-align: left; }
.token.dim { color: var(--muted); }
.token.strong { font-weight: 600; }
.token.selected {
  background: var(--field); border-color: var(--accent); color: var(--accent); font-weight: 600;
}
.number {
  position: absolute; height: 24px; line-height: 24px; font-size: 11px; color: var(--ink);
  white-space: nowrap; pointer-events: none;
}
.model { display: flex; flex-direction: column; gap: 16px; margin-top: 12px; }
.model.beside { flex-direction: row; align-items: flex-start; gap: 24px; }
.grid {
  display: grid; grid-template: 40px auto / 54px minmax(0, auto); min-width: 0; position: relative;
  color: var(--muted); font-size: 11px; line-height: 16px;
}
.grid .across { grid-area: 1 / 2; position: relative; overflow: clip; overflow-clip-margin: 12px; }
.grid .down { grid-area: 2 / 1; position: relative; overflow: clip; }
.grid .labels { position: absolute; inset: 0; }
.grid .labels span { position: absolute; pointer-events: none; }
.grid .across .labels span { bottom: 2px; text-align: center; }
.grid .down .labels span { left: 0; right: 10px; text-align: right; }
.grid .labels .on { color: var(--accent); font-weight: 600; }
.grid .caption { position: absolute; }
.grid .caption[hidden] { display: none; }
.grid .caption.of-heads { top: 0; left: 54px; right: 0; text-align: center; }
.grid .caption.of-layers { left: 0; top: 40px; bottom: 0; writing-mode: vertical-rl; transform: rotate(180deg); text-align: center; }
.grid .scroller { grid-area: 2 / 2; overflow: auto; min-width: 0; max-height: 896px; padding: 3px; margin: -3px; contain: content; }
.grid .cells { position: absolute; inset: 0; touch-action: manipulation; will-change: transform; }
.grid .sheet canvas { position: absolute; top: 0; left: 0; }
.cells button {
  position: absolute; border-radius: 6px; display: flex; align-items: flex-end;
  justify-content: flex-start; padding: 1px 3px; font-size: 10px;
  text-shadow: 0 0 2px var(--ground), 0 0 2px var(--ground), 0 0 3px var(--ground);
}
.cells button:hover { box-shadow: inset 0 0 0 1px var(--muted); }
.cells button[aria-pressed="true"] { box-shadow: 0 0 0 2px var(--accent); }
.cells button:focus-visible { outline-offset: 2px; z-index: 1; }
.tooltip canvas { display: block; margin-top: 6px; }
.trail { margin-bottom: 8px; }
.opened { position: relative; }
.handover { display: flex; gap: 8px; margin-top: 12px; }
.handover button {
  border: 1px solid var(--hairline); border-radius: 6px; padding: 4px 12px; background: var(--ground);
}
.handover button:hover { border-color: var(--accent); color: var(--accent); }
.call { display: flex; flex-wrap: wrap; align-items: center; gap: 6px 10px; margin-top: 8px; }
.call[hidden] { display: none; }
.call .path { flex: 1 0 100%; }
.call input {
  flex: 1 0 100%; min-width: 0; font: 10.5px/1.4 ui-monospace, "DejaVu Sans Mono", monospace; color: var(--ink);
  background: var(--ground); border: 1px solid var(--hairline); border-radius: 6px; padding: 4px 8px;
}
.detail { background: var(--surface); border-radius: 8px; padding: 14px 16px; min-width: 0; }
.detail[hidden] { display: none; }
.model:not(.beside) .detail { align-self: flex-start; max-width: 100%; }
.beside .detail { flex: 0 0 400px; }
.detail .title { font-weight: 600; font-size: 13.5px; }
.detail .path { color: var(--muted); font-size: 11px; overflow-wrap: anywhere; }
.detail .headings { margin-top: 8px; }
.footer {
  display: flex; flex-wrap: wrap; justify-content: space-between; align-items: center;
  gap: 4px 24px; margin-top: 12px; color: var(--muted); font-size: 11px; min-height: 20px;
}
.legend { display: inline-flex; align-items: center; gap: 6px; }
.legend[hidden] { display: none; }
.legend i { display: inline-block; width: 80px; height: 10px; border-radius: 2px; }
.legend i.swatch { width: 10px; }
.tooltip {
  position: absolute; z-index: 10; pointer-events: none; max-width: 340px; padding: 6px 9px;
  background: var(--ground); color: var(--ink); border: 1px solid var(--hairline);
  border-radius: 6px; font-size: 11px; box-shadow: 0 2px 10px rgb(0 0 0 / 0.18);
  white-space: pre-wrap; overflow-wrap: anywhere;
}
.tooltip[hidden] { display: none; }
.switch { display: inline-flex; border: 1px solid var(--hairline); border-radius: 6px; overflow: hidden; }
.switch button { padding: 4px 12px; color: var(--muted); }
.switch button + button { border-left: 1px solid var(--hairline); }
.switch button[aria-pressed="true"] { background: var(--field); color: var(--accent); font-weight: 600; }
.matrix { position: relative; margin-top: 12px; max-width: 100%; }
.matrix .plot {
  position: absolute; outline-offset: 3px; cursor: crosshair; touch-action: none;
  box-shadow: 0 0 0 1px var(--hairline); background: var(--ground);
}
.matrix .bar { position: absolute; box-shadow: 0 0 0 1px var(--accent); pointer-events: none; }
.matrix .brush {
  position: absolute; border: 1px solid var(--accent); background: var(--accent); opacity: 0.25;
  pointer-events: none;
}
.matrix .bar[hidden], .matrix .brush[hidden], .matrix .whole[hidden] { display: none; }
.matrix .whole { position: absolute; top: 0; left: 0; }
.matrix .down, .matrix .across { position: absolute; color: var(--muted); font-size: 11px; }
.matrix .written { color: var(--ink); font-size: 12px; }
.matrix .label { position: absolute; white-space: pre; overflow: hidden; text-overflow: ellipsis; }
.matrix .down .label { right: 8px; max-width: calc(100% - 8px); text-align: right; }
.matrix .across .label { bottom: 6px; writing-mode: vertical-rl; transform: rotate(180deg); max-height: calc(100% - 6px); }
.matrix .across:not(.written) .label { writing-mode: horizontal-tb; transform: none; width: auto !important; }
.matrix .label.selected { color: var(--accent); font-weight: 600; z-index: 1; background: var(--ground); }
.onoff {
  border: 1px solid var(--hairline); border-radius: 6px; padding: 4px 12px; color: var(--muted);
}
.onoff[hidden] { display: none; }
.onoff[aria-pressed="true"] { background: var(--field); color: var(--accent); font-weight: 600; }
.save { display: inline-flex; gap: 8px; color: var(--muted); }
.heads label { display: inline-flex; align-items: center; gap: 8px; }
.heads label[hidden] { display: none; }
.heads label { margin-left: 12px; height: 24px; }
.heads select { height: 24px; }
.body.beside { display: flex; gap: 24px; align-items: flex-start; }
.body.beside > :first-child { min-width: 0; flex: 0 1 auto; }
.overview { flex: none; margin-top: 18px; color: var(--muted); font-size: 11px; }
.overview[hidden], .overview [hidden] { display: none; }
.overview .caption { line-height: 20px; }
.overview .note { margin-top: 4px; max-width: 140px; }
.overview .plot {
  position: relative; cursor: crosshair; touch-action: none; background: var(--ground);
  box-shadow: 0 0 0 1px var(--hairline); outline-offset: 3px;
}
.overview canvas { display: block; }
.overview .window {
  position: absolute; box-shadow: 0 0 0 1.5px var(--accent); background: var(--accent); cursor: move;
  background: color-mix(in srgb, var(--accent) 12%, transparent);
}
.badge {
  border: 1px solid var(--hairline); border-radius: 14px; padding: 3px 12px; color: var(--muted);
  font-size: 11px; white-space: nowrap;
}
.sr {
  position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
  white-space: nowrap;
}
`;
