"""Small mistakes that a programmer could have made, put into Python source one at a time.

The problem. A test suite that passes proves little unless it fails when the code is wrong. So the
code is made wrong: a comparison, a sign, an index, a forgotten statement.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass

COMPARED: dict[type, type] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
COMPUTED: dict[type, type] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
GENERIC = {"list", "tuple", "dict", "set", "frozenset", "Sequence", "Iterable", "Mapping"}
CALLED = {
    "max": "min",
    "min": "max",
    "amax": "amin",
    "amin": "amax",
    "any": "all",
    "all": "any",
    "triu": "tril",
    "tril": "triu",
    "argmax": "argmin",
    "cummax": "cummin",
}


@dataclass(frozen=True)
class Mutant:
    """One file with one mistake.

    Attributes:
        path: The file, from the repository's root.
        line: Where the mistake is.
        text: That line, without its indentation.
        was: The source it replaces.
        now: What stands there instead.
        source: The whole file with the mistake.
    """

    path: str
    line: int
    text: str
    was: str
    now: str
    source: str

    def parses(self) -> bool:
        """Whether the mistake is one that Python would run."""
        try:
            compile(self.source, self.path, "exec")
        except SyntaxError:
            return False
        return True

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.was!r} became {self.now!r}"


def mutants(path: str, source: str) -> Iterator[Mutant]:
    """Every mutant of a file, one mistake each."""
    starts = [0]
    for line in source.encode().splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    text, lines = source.encode(), source.splitlines()
    for node, wrong in _changes(ast.parse(source)):
        begin = starts[node.lineno - 1] + node.col_offset
        end = starts[node.end_lineno - 1] + node.end_col_offset
        was = text[begin:end].decode()
        if wrong == was:
            continue
        mutated = (text[:begin] + wrong.encode() + text[end:]).decode()
        yield Mutant(path, node.lineno, lines[node.lineno - 1].strip(), was, wrong, mutated)


def _changes(tree: ast.AST) -> Iterator[tuple[ast.expr | ast.stmt, str]]:
    """Nodes and what replaces them; texts, annotations and what only types need are left alone."""
    for node in _computing(tree):
        if isinstance(node, ast.expr):
            yield from ((node, _text(wrong)) for wrong in _expressions(node))
        elif isinstance(node, ast.stmt):
            yield from ((node, wrong) for wrong in _statements(node))


def _text(node: ast.AST) -> str:
    return (
        f"({ast.unparse(node)})"
        if isinstance(node, ast.BinOp | ast.BoolOp | ast.Compare)
        else (ast.unparse(node))
    )


def _computing(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes that compute something."""
    yield node
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "type_params", "bases"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if not isinstance(child, ast.AST) or isinstance(child, ast.JoinedStr | ast.Assert):
                continue
            if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
                continue
            if isinstance(child, ast.Raise | ast.Import | ast.ImportFrom):
                if isinstance(child, ast.Raise):
                    yield child  # it can be forgotten, but its words are not mutated
                continue
            yield from _computing(child)


def _expressions(node: ast.expr) -> Iterator[ast.expr]:
    if isinstance(node, ast.Compare):
        for place, kind in enumerate(node.ops):
            wrong = copy.deepcopy(node)
            wrong.ops[place] = COMPARED[type(kind)]()
            yield wrong
    elif isinstance(node, ast.BinOp) and type(node.op) in COMPUTED:
        if not any(
            isinstance(x, ast.Constant | ast.JoinedStr) and not _number(x)
            for x in (node.left, node.right)
        ) and not _types(node):
            wrong = copy.deepcopy(node)
            wrong.op = COMPUTED[type(node.op)]()
            yield wrong
    elif isinstance(node, ast.BoolOp):
        wrong = copy.deepcopy(node)
        wrong.op = ast.And() if isinstance(node.op, ast.Or) else ast.Or()
        yield wrong
        for place in range(len(node.values)):
            left = [value for i, value in enumerate(node.values) if i != place]
            yield left[0] if len(left) == 1 else ast.BoolOp(node.op, left)
    elif isinstance(node, ast.UnaryOp):
        yield node.operand
    elif isinstance(node, ast.Constant) and _number(node):
        yield ast.Constant(_other(node.value))
    elif isinstance(node, ast.IfExp):
        yield ast.IfExp(node.test, node.orelse, node.body)
    elif isinstance(node, ast.Call):
        yield from _calls(node)
    elif isinstance(node, ast.Slice):
        for end in ("lower", "upper"):
            if getattr(node, end) is not None:
                wrong = copy.deepcopy(node)
                setattr(wrong, end, None)
                yield wrong


def _calls(node: ast.Call) -> Iterator[ast.expr]:
    function = node.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    if name in CALLED:
        wrong = copy.deepcopy(node)
        if isinstance(wrong.func, ast.Attribute):
            wrong.func.attr = CALLED[name]
        else:
            wrong.func.id = CALLED[name]  # type: ignore[attr-defined]
        yield wrong
    if name in ("dataclass", "TypeVar", "field"):
        return
    for place, keyword in enumerate(node.keywords):
        if (name, keyword.arg) == ("zip", "strict"):
            continue  # it asserts something, and asserts are not mutated
        wrong = copy.deepcopy(node)
        del wrong.keywords[place]
        yield wrong
    # abs(x), x.contiguous(): the step is forgotten
    if isinstance(function, ast.Attribute) and not node.args and not node.keywords:
        yield function.value
    elif isinstance(function, ast.Name) and len(node.args) == 1 and not node.keywords:
        yield node.args[0]


def _statements(node: ast.stmt) -> Iterator[str]:
    words = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant | ast.Yield)
    if isinstance(node, ast.Expr | ast.AugAssign | ast.Raise | ast.Continue | ast.Delete):
        if not words:
            yield "pass"
    elif isinstance(node, ast.Break):
        yield "continue"
    elif isinstance(node, ast.Return) and node.value is not None and not _none(node.value):
        yield "return None"


def _none(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _number(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, bool | int | float)


def _other(value: bool | int | float) -> bool | int | float:
    """Another value; of large numbers, which are often limits, twice as much."""
    if isinstance(value, bool):
        return not value
    return value + 1 if abs(value) < 100 else 2 * value


def _types(node: ast.BinOp) -> bool:
    """Whether this is a union of types, as isinstance and aliases take it."""
    if not isinstance(node.op, ast.BitOr):
        return False
    return all(
        _types(side) if isinstance(side, ast.BinOp) else _type(side)
        for side in (node.left, node.right)
    )


def _type(node: ast.expr) -> bool:
    generic = isinstance(node, ast.Subscript) and ast.unparse(node.value) in GENERIC
    return generic or isinstance(node, ast.Name | ast.Attribute | ast.Constant)
