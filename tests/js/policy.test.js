// The linter refuses what a page's policy may refuse.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ESLint } from "eslint";

const REFUSED = [
  "element.innerHTML = text;",
  "element.outerHTML = text;",
  'element.insertAdjacentHTML("beforeend", text);',
  "frame.srcdoc = text;",
  "document.write(text);",
  'select(element).html("");',
  'element.setAttribute("style", text);',
  'element.setAttribute("onclick", text);',
  'select(element).attr("style", text);',
  'document.createElement("style");',
  'document.createElement("script");',
  "new Worker(text);",
  "new DOMParser();",
  "new Function(text);",
  "eval(text);",
  'setTimeout("text", 1);',
];

const PARAMETERS = "element, frame, text, select";

test("what a policy may refuse is an error", async () => {
  const eslint = new ESLint();
  for (const line of [...REFUSED, "element.style.cssText = text;"]) {
    const code = `/** ${PARAMETERS} */\nexport function f(${PARAMETERS}) {\n  ${line}\n}\n`;
    const [{ messages }] = await eslint.lintText(code, {
      filePath: "bertviz/js/controls/example.js",
    });
    const found = messages
      .map(({ ruleId }) => String(ruleId))
      .filter((rule) => rule !== "no-unused-vars");
    assert.equal(found.length > 0, REFUSED.includes(line), `${line} ${found}`);
  }
});
