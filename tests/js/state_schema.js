// Writes what a page's state may hold, as JSON: per view, each key with its values, or null where
// the payload decides. A Python test compares it with what Python accepts.

import { STATE } from "../../bertviz/js/state.js";

process.stdout.write(JSON.stringify(STATE));
