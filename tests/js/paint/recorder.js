// A canvas's context that writes down what it is told.

export function recorder() {
  /** @type {any[]} */
  const drawn = [];
  /** @type {any} */
  const context = { globalAlpha: 1, strokeStyle: "", fillStyle: "", lineWidth: 1 };
  /** @type {number[]} */
  let path = [];
  Object.assign(context, {
    beginPath: () => (path = []),
    moveTo: (/** @type {number[]} */ ...at) => path.push(...at),
    lineTo: (/** @type {number[]} */ ...at) => path.push(...at),
    stroke: () =>
      drawn.push({
        line: path,
        alpha: context.globalAlpha,
        color: context.strokeStyle,
        width: context.lineWidth,
      }),
    fillRect: (/** @type {number[]} */ ...rect) =>
      drawn.push({ rect, alpha: context.globalAlpha, color: context.fillStyle }),
  });
  return { context, drawn };
}

// The stage that painters are told of in these tests.
export const geometry = { width: 400, top: 0, height: 240, row: 24 };
