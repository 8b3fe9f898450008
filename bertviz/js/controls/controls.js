// The parts of a view that a reader touches: selects, head squares, columns of tokens, the tooltip.
// All of them are DOM, reachable by keyboard, and say what they are; what is only looked at is
// painted (marks.js).

import { format } from "d3-format";
import { select } from "d3-selection";
import { SEVERAL } from "../data/regroup.js";
import { pairsOf } from "../data/filters.js";

/** @typedef {import("./frame.js").Frame} Frame */
/** @typedef {import("../data/schema.js").Tokens} Tokens */
/** @typedef {"query" | "key"} Side */

export const ROW = 24;

const fixed = { 2: format(".2f"), 3: format(".3f"), 4: format(".4f") };

/**
 * A weight in two digits; what rounds to zero is told from zero.
 * @param {number} weight
 */
export function shortWeight(weight) {
  return weight > 0 && weight < 0.005 ? "<0.01" : fixed[2](weight);
}

/** @type {(weight: number) => string} */
export const exactWeight = (weight) => fixed[4](weight);

const plus = { 2: format("+.2f"), 4: format("+.4f") };

/**
 * How weights are written: those of a comparison with their signs.
 * @param {{signs: number[]}} edges
 */
export function writersOf({ signs }) {
  if (!signs.includes(-1)) return { short: shortWeight, exact: exactWeight };
  return {
    short: (/** @type {number} */ weight) => (Math.abs(weight) < 0.005 ? "0.00" : plus[2](weight)),
    exact: (/** @type {number} */ weight) => (weight === 0 ? "0.0000" : plus[4](weight)),
  };
}

/**
 * @param {HTMLElement} parent
 * @param {string} className
 * @param {string} [tag]
 */
export function add(parent, className, tag = "div") {
  const element = document.createElement(tag);
  element.className = className;
  parent.append(element);
  return element;
}

/**
 * @param {HTMLElement} element
 * @param {number} left
 * @param {number} width
 */
export function place(element, left, width) {
  Object.assign(element.style, { left: `${left}px`, width: `${width}px` });
}

/**
 * A labelled native select.
 * @param {HTMLElement} parent
 * @param {string} name
 * @param {string} label
 * @param {(value: string) => void} chosen
 */
export function addSelect(parent, name, label, chosen) {
  const element = /** @type {HTMLLabelElement} */ (add(parent, "", "label"));
  element.append(label);
  const box = document.createElement("select");
  box.name = name;
  box.addEventListener("change", () => chosen(box.value));
  element.append(box);
  return {
    element,
    /**
     * @param {{value: string, text: string}[]} options
     * @param {string} value
     */
    draw(options, value) {
      select(box)
        .selectAll("option")
        .data(options)
        .join("option")
        .attr("value", (d) => d.value)
        .text((d) => d.text);
      box.value = value;
    },
    /**
     * Options under headings; what has none stands first.
     * @param {{label: string, options: {value: string, text: string}[]}[]} groups
     * @param {string} value
     */
    drawGroups(groups, value) {
      if (!box.options.length) {
        for (const { label, options } of groups.filter((g) => g.options.length)) {
          const parent = label ? document.createElement("optgroup") : box;
          if (parent !== box) Object.assign(parent, { label });
          parent.append(...options.map((o) => new Option(o.text, o.value)));
          if (parent !== box) box.append(parent);
        }
      }
      box.value = value;
    },
  };
}

/**
 * Block, layer and pair, each where it applies.
 * @param {HTMLElement} toolbar
 * @param {Frame} frame
 * @param {{layer: boolean}} which
 */
export function addSourceSelects(toolbar, frame, which) {
  const blocks = frame.source.payload.blocks;
  const block =
    blocks.length > 1 &&
    addSelect(toolbar, "block", "Attention", (value) => frame.set({ block: value }));
  const layer =
    which.layer &&
    addSelect(toolbar, "layer", "Layer", (value) => frame.set({ layer: Number(value) }));
  const pair =
    blocks.some((b) => pairsOf(b).length > 1) &&
    addSelect(toolbar, "pair", "Pair", (value) => frame.set({ pair: value }));
  return {
    draw() {
      const state = frame.state();
      const current = frame.source.block(state.block);
      if (block) block.draw(blocks.map((b) => option(b.name, capital(b.name))), state.block);
      if (layer) layer.draw(current.layers.map((l) => option(l.index)), String(state.layer));
      if (pair) {
        const pairs = pairsOf(current);
        pair.element.hidden = pairs.length < 2;
        pair.draw(pairs.map((p) => option(p)), state.pair);
      }
    },
  };
}

/**
 * Two or three ways to look at the same thing.
 * @param {HTMLElement} parent
 * @param {string} name
 * @param {string[]} values
 * @param {(value: string) => void} chosen
 */
export function addSwitch(parent, name, values, chosen) {
  const group = add(parent, "switch");
  group.setAttribute("role", "group");
  group.setAttribute("aria-label", name);
  const buttons = values.map((value) => {
    const button = add(group, "", "button");
    button.dataset[name] = value;
    button.textContent = capital(value);
    button.addEventListener("click", () => chosen(value));
    return button;
  });
  return {
    /** @param {string} value */
    draw(value) {
      buttons.forEach((button, i) => button.setAttribute("aria-pressed", String(values[i] === value)));
    },
  };
}

/**
 * A button that is on or off.
 * @param {HTMLElement} parent
 * @param {string} name
 * @param {string} label
 * @param {string} title what it does
 */
export function addToggle(parent, name, label, title) {
  const button = add(parent, "onoff", "button");
  button.dataset.action = name;
  button.textContent = label;
  button.title = title;
  return {
    element: button,
    /** @param {boolean} on */
    draw(on) {
      button.setAttribute("aria-pressed", String(on));
    },
  };
}

/**
 * The picture as a file, exactly as it stands.
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
  const said = add(group, "", "span");
  said.setAttribute("role", "alert");
  for (const { button, format } of buttons) {
    button.addEventListener("click", async () => {
      said.textContent = "";
      try {
        const svg = new Blob([await frame.svg()], { type: "image/svg+xml" });
        const link = document.createElement("a");
        link.href = URL.createObjectURL(format === "svg" ? svg : await pngOf(svg));
        link.download = `${frame.state().view}_view.${format}`;
        link.click();
        setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
      } catch (error) {
        said.textContent = `Not saved: ${error instanceof Error ? error.message : error}`;
      }
    });
  }
}

const LARGEST_PNG = 32_000; // pixels of a side; beyond that browsers give an empty canvas

/**
 * @param {Blob} svg
 * @returns {Promise<Blob>} in twice as many pixels
 */
async function pngOf(svg) {
  const image = new Image();
  const address = URL.createObjectURL(svg);
  image.setAttribute("src", address);
  await image.decode();
  URL.revokeObjectURL(address);
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [2 * image.naturalWidth, 2 * image.naturalHeight];
  const tooLarge = "the picture is too large for a PNG. Choose a window of the text, or save it as SVG.";
  if (Math.max(canvas.width, canvas.height) > LARGEST_PNG) throw new Error(tooLarge);
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve, reject) =>
    canvas.toBlob((png) => (png ? resolve(png) : reject(new Error(tooLarge)))),
  );
}

/**
 * @param {string | number} value
 * @param {string} [text]
 */
export function option(value, text) {
  return { value: String(value), text: text ?? String(value) };
}

/** @param {string} text */
function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/**
 * The row of numbered head squares. Click switches a head on or off (the last one stays), a double
 * click keeps only that head, a double click on the only head brings all back.
 * @param {HTMLElement} parent
 * @param {Frame} frame
 */
export function addHeadSquares(parent, frame) {
  const row = add(parent, "heads");
  add(row, "", "span").textContent = "Heads";
  const squares = add(row, "squares");
  squares.setAttribute("role", "group");
  squares.setAttribute("aria-label", "Heads: click switches, double click keeps only one");
  const all = add(row, "link", "button");
  all.textContent = "all";
  all.setAttribute("aria-label", "All heads");
  all.addEventListener("click", () => frame.set({ heads: headsOf(frame) }));

  /** @param {Event} event */
  const headAt = (event) => {
    const button = /** @type {Element} */ (event.target).closest("button");
    return button ? Number(button.dataset.head) : null;
  };
  squares.addEventListener("click", (event) => {
    const head = headAt(event);
    if (head === null) return;
    const { heads } = frame.state();
    const next = heads.includes(head) ? heads.filter((h) => h !== head) : [...heads, head];
    if (next.length) frame.set({ heads: next });
  });
  squares.addEventListener("dblclick", (event) => {
    const head = headAt(event);
    if (head !== null) solo(head);
  });
  /** @param {number} head */
  const solo = (head) => {
    const { heads } = frame.state();
    const only = heads.length === 1 && heads[0] === head;
    frame.set({ heads: only ? headsOf(frame) : [head] });
  };
  squares.addEventListener("keydown", (event) => {
    const head = headAt(event);
    if (head === null) return;
    const heads = headsOf(frame);
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step) {
      const next = heads[(heads.indexOf(head) + step + heads.length) % heads.length];
      const button = squares.querySelector(`[data-head="${next}"]`);
      /** @type {HTMLElement} */ (button).focus();
    } else if (event.key === "Enter" && event.shiftKey) {
      solo(head);
    } else {
      return;
    }
    event.preventDefault();
  });

  return {
    element: row,
    /** @param {string | null} color of all, where they are drawn as one */
    draw(color) {
      const { heads } = frame.state();
      const theme = frame.theme();
      select(squares)
        .selectAll("button")
        .data(headsOf(frame))
        .join("button")
        .attr("type", "button")
        .attr("data-head", (head) => head)
        .attr("aria-pressed", (head) => String(heads.includes(head)))
        .attr("aria-label", (head) => `Head ${head}`)
        .style("background", (head) => color ?? theme.head(head))
        .style("color", theme.onHead)
        .text((head) => head);
      all.style.visibility = heads.length === headsOf(frame).length ? "hidden" : "visible";
    },
  };
}

/**
 * The exactness mark: whether what is shown was checked against the model, and by how much the two
 * differ.
 * @param {HTMLElement} toolbar
 * @param {import("../data/schema.js").Payload["model"]} model
 */
export function addMark(toolbar, { name, dtype, exactness }) {
  const badge = add(toolbar, "badge end", "span");
  badge.textContent = exactness
    ? `✓ matches the model: max diff ${format(".0e")(exactness.max_difference)}`
    : "not verified";
  const about = [
    `${name ?? "Arrays"}, ${dtype}.`,
    exactness
      ? `Compared with ${exactness.compared_with}: ${exactness.max_difference}.`
      : "What is shown was not compared with the model’s own attention: extract(…, verify=True) does.",
  ];
  if (exactness?.terms.length) about.push(`Scores have beside q·k: ${exactness.terms.join(", ")}.`);
  if (exactness?.note) about.push(`Note: ${exactness.note}.`);
  badge.title = about.join(" ");
}

/**
 * The heads of the layer that is shown.
 * @param {Frame} frame
 */
export function headsOf(frame) {
  const state = frame.state();
  return frame.source.layer(state.block, state.layer).heads;
}

/**
 * A column of tokens: hovering one previews, click or Enter locks, arrows move, Esc clears. Only
 * tokens near the visible part of the stage are in the DOM.
 * @param {HTMLElement} parent
 * @param {Side} side
 * @param {object} on
 * @param {(position: number) => void} on.enter
 * @param {() => void} on.leave
 * @param {(position: number, more: boolean) => void} on.click more: beside what is selected
 * @param {(position: number, more: boolean) => void} on.move keyboard
 * @param {(side: Side) => void} [on.cross] keyboard: to the other column
 */
export function addTokenColumn(parent, side, on) {
  const column = add(parent, `column ${side}`);
  column.setAttribute("role", "listbox");
  column.setAttribute("aria-label", `${side} tokens`);
  column.setAttribute("aria-multiselectable", "true");
  /** @type {Int32Array} */
  let shown = new Int32Array(0);
  let focusAfterDraw = false;

  /** @param {Event} event */
  const positionAt = (event) => {
    const token = /** @type {Element} */ (event.target).closest("[data-token]");
    return token ? Number(/** @type {HTMLElement} */ (token).dataset.index) : null;
  };
  column.addEventListener("pointerover", (event) => {
    const position = positionAt(event);
    if (position !== null && event.pointerType !== "touch") on.enter(position);
  });
  column.addEventListener("pointerleave", (event) => {
    if (event.pointerType !== "touch") on.leave();
  });
  column.addEventListener("click", (event) => {
    const position = positionAt(event);
    if (position !== null) on.click(position, event.shiftKey || event.ctrlKey || event.metaKey);
  });
  column.addEventListener("keydown", (event) => {
    const position = positionAt(event);
    if (position === null || event.altKey || event.ctrlKey || event.metaKey) return;
    const row = shown.indexOf(position);
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10 }[event.key];
    if (step) {
      focusAfterDraw = true;
      on.move(shown[Math.min(Math.max(row + step, 0), shown.length - 1)], event.shiftKey);
    } else if (event.key === "Home" || event.key === "End") {
      focusAfterDraw = true;
      on.move(shown[event.key === "Home" ? 0 : shown.length - 1], false);
    } else if (event.key === "Enter" || event.key === " ") {
      on.click(position, event.shiftKey);
    } else if (on.cross && event.key === (side === "query" ? "ArrowRight" : "ArrowLeft")) {
      on.cross(side === "query" ? "key" : "query");
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  });

  return {
    element: column,
    /** @param {number} position */
    focus(position) {
      const token = column.querySelector(`[data-index="${position}"]`);
      /** @type {HTMLElement | null} */ (token)?.focus({ preventScroll: true });
    },
    /**
     * @param {object} options
     * @param {string[]} options.text by position
     * @param {Int32Array} options.positions the model's positions, one a row
     * @param {[number, number]} options.rows the part that is in view
     * @param {number | null} options.selected
     * @param {number[]} [options.also] selected beside it
     * @param {(position: number) => string} [options.className]
     * @param {number} [options.row] height of a row
     */
    draw({ text, positions, rows, selected, also = [], className, row = ROW }) {
      shown = positions;
      const visible = Array.from({ length: Math.max(0, rows[1] - rows[0]) }, (_, i) => rows[0] + i);
      const isChosen = (/** @type {number} */ i) => i === selected || also.includes(i);
      const inTab = selected !== null ? selected : positions[Math.min(rows[0], positions.length - 1)];
      select(column)
        .selectAll("div")
        .data(visible, (r) => positions[/** @type {number} */ (r)])
        .join("div")
        .attr("role", "option")
        .attr("dir", "auto")
        .attr("data-token", side)
        .attr("data-index", (r) => positions[r])
        .attr("tabindex", (r) => (positions[r] === inTab ? 0 : -1))
        .attr("aria-selected", (r) => String(isChosen(positions[r])))
        .attr("class", (r) => {
          const position = positions[r];
          return `token ${isChosen(position) ? "selected" : ""} ${className?.(position) ?? ""}`;
        })
        .style("top", (r) => `${r * row}px`)
        .style("height", `${row}px`)
        .style("line-height", `${row - 2}px`)
        .each(function (r) {
          // Only when it changes: new text under a resting pointer counts as entering the token.
          const element = /** @type {HTMLElement} */ (/** @type {unknown} */ (this));
          const own = text[positions[r]];
          if (element.textContent !== own) element.textContent = own;
        });
      if (focusAfterDraw && selected !== null) {
        focusAfterDraw = false;
        this.focus(selected);
      }
    },
  };
}

/**
 * The one tooltip of a view, shared by its parts; it stays inside the view and never takes the pointer.
 * @param {HTMLElement} root
 */
export function addTooltip(root) {
  const known = tooltips.get(root);
  if (known) return known;
  const box = add(root, "tooltip");
  box.setAttribute("role", "tooltip");
  box.hidden = true;
  const tooltip = {
    /**
     * @param {string} text
     * @param {number} clientX
     * @param {number} clientY
     * @param {HTMLElement | null} [picture] below the text
     */
    show(text, clientX, clientY, picture = null) {
      box.textContent = text;
      if (picture) box.append(picture);
      box.hidden = false;
      const around = root.getBoundingClientRect();
      const { offsetWidth: width, offsetHeight: height } = box;
      const x = clientX - around.left + 14;
      const y = clientY - around.top + 16;
      const left = x + width > around.width ? x - width - 28 : x;
      const top = y + height > around.height ? y - height - 32 : y;
      box.style.left = `${Math.max(0, left)}px`;
      box.style.top = `${Math.max(0, top)}px`;
    },
    hide() {
      box.hidden = true;
    },
  };
  tooltips.set(root, tooltip);
  return tooltip;
}

/**
 * @type {WeakMap<HTMLElement, {
 *   show: (text: string, clientX: number, clientY: number, picture?: HTMLElement | null) => void,
 *   hide: () => void}>}
 */
const tooltips = new WeakMap();


/**
 * What a token's tooltip begins with: its whole text, its position, the tokenizer's own string.
 * @param {Tokens} tokens
 * @param {number} position
 * @param {string[]} [text] what is shown, where words stand for tokens
 */
export function describeToken(tokens, position, text = tokens.text) {
  const raw = tokens.raw?.[position];
  const last = text === tokens.text ? position : (tokens.words?.of.lastIndexOf(tokens.words.of[position]) ?? position);
  if (last > position) return `${text[position]}  (positions ${position} to ${last})`;
  const own = raw !== undefined && raw !== tokens.text[position] ? `, in the tokenizer ${raw}` : "";
  return `${text[position]}  (position ${position}${own})`;
}

/**
 * What a drawn head is called: its number, or what several are together.
 * @param {number} head
 * @param {import("../state.js").State} state
 */
export function headName(head, { heads, combine }) {
  return head === SEVERAL ? `${combine} of ${heads.length} heads` : `head ${head}`;
}

/**
 * Width that the widest of these texts needs, within bounds.
 * @param {string[]} texts
 * @param {number} least
 * @param {number} most
 * @param {Measure} [measure]
 */
export function columnWidth(texts, least, most, measure = measured) {
  const known = widths.get(measure) ?? new WeakMap();
  widths.set(measure, known);
  let width = known.get(texts);
  if (width === undefined) {
    width = 0;
    for (const text of new Set(texts)) {
      // A few dozen characters are wider than any column, and measuring thousands takes long.
      width = Math.max(width, text.length > 40 ? Infinity : measure(text) + 22);
    }
    known.set(texts, width);
  }
  return Math.ceil(Math.min(Math.max(width, least), most));
}

/** @typedef {(text: string) => number} Measure */
/** @type {WeakMap<Measure, WeakMap<string[], number>>} of texts that were measured */
const widths = new WeakMap();
/** @type {CanvasRenderingContext2D | null} */
let measuring = null;

/** @type {Measure} as wide as this browser draws it */
function measured(text) {
  if (!measuring) {
    measuring = /** @type {CanvasRenderingContext2D} */ (
      document.createElement("canvas").getContext("2d")
    );
    // 600 is the weight of a selected token: selecting must not cut it off.
    measuring.font = '600 13.5px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif';
  }
  return measuring.measureText(text).width;
}
