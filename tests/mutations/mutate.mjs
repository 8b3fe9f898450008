// Every mutant of one JavaScript file, as JSON: node mutate.mjs FILE. See mutating.py.

import { parse } from "acorn";
import { readFileSync } from "node:fs";

const OPERATORS = {
  ...{ "<": "<=", "<=": "<", ">": ">=", ">=": ">", "===": "!==", "!==": "===" },
  ...{ "+": "-", "-": "+", "*": "/", "/": "*", "%": "*", "&": "|", "|": "&" },
  ...{ ">>": "<<", "<<": ">>", "&&": "||", "||": "&&" },
};
const ASSIGNED = { "+=": "-=", "-=": "+=", "*=": "/=", "??=": "=" };
const CALLED = { max: "min", min: "max", some: "every", every: "some", floor: "ceil", ceil: "floor" };

const source = readFileSync(process.argv[2], "utf8");
/** @type {{line: number, start: number, end: number, now: string}[]} */
const found = [];
const text = (node) => source.slice(node.start, node.end);
const replace = (node, now) =>
  found.push({ line: node.loc.start.line, start: node.start, end: node.end, now });

visit(parse(source, { ecmaVersion: "latest", sourceType: "module", locations: true }));
console.log(
  JSON.stringify(found.map((mutant) => ({ ...mutant, was: source.slice(mutant.start, mutant.end) }))),
);

function visit(node) {
  mutate(node);
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (child && typeof child.type === "string" && !child.type.startsWith("Import")) visit(child);
    }
  }
}

function mutate(node) {
  const two = node.type === "BinaryExpression" || node.type === "LogicalExpression";
  const words = two && [node.left, node.right].some((side) => typeof side.value === "string");
  if (two && OPERATORS[node.operator] && !(words && node.operator === "+")) {
    replace(node, `(${text(node.left)} ${OPERATORS[node.operator]} ${text(node.right)})`);
  }
  if (two && node.operator === "??") replace(node, `(${text(node.right)})`);
  if (node.type === "AssignmentExpression" && ASSIGNED[node.operator]) {
    replace(node, `${text(node.left)} ${ASSIGNED[node.operator]} ${text(node.right)}`);
  }
  if (node.type === "UnaryExpression" && ["!", "-"].includes(node.operator)) {
    replace(node, `(${text(node.argument)})`);
  }
  if (node.type === "Literal" && typeof node.value === "number") replace(node, `${node.value + 1}`);
  if (node.type === "Literal" && typeof node.value === "boolean") replace(node, `${!node.value}`);
  if (node.type === "ConditionalExpression") {
    replace(node, `(${text(node.test)} ? ${text(node.alternate)} : ${text(node.consequent)})`);
  }
  if (node.type === "CallExpression") {
    const name = node.callee.property?.name;
    if (CALLED[name]) {
      const { start, end } = node.callee.property;
      replace({ ...node.callee.property, start, end }, CALLED[name]);
    }
  }
  if (node.type === "ExpressionStatement" && !node.directive) replace(node, ";");
  if (node.type === "ContinueStatement") replace(node, ";");
  if (node.type === "ReturnStatement" && node.argument) replace(node, "return;");
}
