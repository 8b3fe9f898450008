// Reads {bundle, payloads, cases} from standard input, each case the name of a payload and a state,
// and writes for each case null if the page shows the state as it is, otherwise why not.
// tests/web/test_state.py compares that with what Python refuses.

import { text } from "node:stream/consumers";
import { runInThisContext } from "node:vm";

const { bundle, payloads, cases } = JSON.parse(await text(process.stdin));
runInThisContext(bundle);
const { figure } = /** @type {any} */ (globalThis).bertviz;
const verdicts = [];
for (const [payload, state] of cases) {
  try {
    await figure([{ ...payloads[payload], state }]);
    verdicts.push(null);
  } catch (error) {
    verdicts.push(`${error.name}: ${error.message}`);
  }
}
process.stdout.write(JSON.stringify(verdicts));
