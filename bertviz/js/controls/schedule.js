// When work is done. Pictures are made once a frame, however often the state changes in between,
// and what takes longer than a frame lets the page react meanwhile.

const STEP = 12; // milliseconds of work, then others have their turn
const LATE = 100; // milliseconds; frames out of sight get no animation frames

/**
 * @param {() => void} run
 * @returns {() => void} asks for one run in the next frame
 */
export function oncePerFrame(run) {
  let pending = false;
  const now = () => {
    if (!pending) return;
    pending = false;
    run();
  };
  return () => {
    if (pending) return;
    pending = true;
    const timer = setTimeout(now, LATE);
    requestAnimationFrame(() => {
      clearTimeout(timer);
      now();
    });
  };
}

/**
 * Does work step by step.
 * @param {Iterable<void>} steps
 * @param {() => boolean} wanted whether it still is, asked after every pause
 */
export async function inSteps(steps, wanted) {
  let began = performance.now();
  for (const _ of steps) {
    if (performance.now() - began < STEP) continue;
    await turn();
    began = performance.now();
    if (!wanted()) break;
  }
}

/** Lets the page do what waits; a timer would be slowed down in a tab out of sight. */
function turn() {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = resolve;
    port2.postMessage(null);
  });
}
