import assert from "node:assert/strict";
import { test } from "node:test";
import { Source } from "../../../bertviz/js/data/payload.js";
import { payloadOf, tokens } from "../fixtures.js";

test("more keys than two bytes can number are refused, not drawn elsewhere", () => {
  const of = (/** @type {number} */ count) =>
    payloadOf({
      blocks: [
        {
          name: "cross",
          kind: "cross",
          query: tokens(["a"]),
          key: tokens(new Array(count).fill("b")),
          layers: [],
        },
      ],
    });
  assert.ok(new Source(of(65536)));
  assert.throws(() => new Source(of(65537)), /65537 key tokens are more/);
});
