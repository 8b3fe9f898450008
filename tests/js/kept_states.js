// Reads {bundle, payloads, cases: [[number of a payload, state], ...]} from standard input and writes, for each case, null
// if the page shows the state as it is, otherwise why not. tests/web/test_state.py compares that with
// what Python refuses.

import { text } from "node:stream/consumers";
import { runInThisContext } from "node:vm";

const { bundle, payloads, cases } = JSON.parse(await text(process.stdin));
runInThisContext(bundle);
const verdicts = [];
for (const [payload, state] of cases) {
  try {
    await bertviz.figure({ ...payloads[payload], state });
    verdicts.push(null);
  } catch (error) {
    verdicts.push(`${error.name}: ${error.message}`);
  }
}
process.stdout.write(JSON.stringify(verdicts));
