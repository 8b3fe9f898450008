"""No tensor of ours depends on the default dtype or device (bertviz/trace/settings.py)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import bertviz

PACKAGE = Path(bertviz.__file__).parent
# Functions that make a tensor from nothing, and what they must be told.
BOTH = "zeros ones full empty eye arange linspace rand randn randint"
TOLD = {
    **{name: {"dtype", "device"} for name in BOTH.split()},
    **{name: {"device"} for name in ("tensor", "as_tensor", "randperm")},
}


def untold(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and name of every call, or ``partial``, of such a function that is not told all."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        function = node.func
        if isinstance(function, ast.Name) and function.id == "partial" and node.args:
            function = node.args[0]
        if not (isinstance(function, ast.Attribute) and ast.unparse(function.value) == "torch"):
            continue
        missing = TOLD.get(function.attr, set()) - {keyword.arg for keyword in node.keywords}
        if missing:
            yield node.lineno, f"torch.{function.attr} without {', '.join(sorted(missing))}"


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.stem)
def test_tensors_are_told_their_dtype_and_device(path: Path) -> None:
    found = list(untold(ast.parse(path.read_text("utf-8"))))
    assert not found, f"{path.relative_to(PACKAGE)}: {found}"


def test_it_finds_what_is_not_told() -> None:
    code = "torch.zeros(3)\ntorch.tensor([1], device='cpu')\npartial(torch.arange, dtype=x)(3)"
    assert list(untold(ast.parse(code))) == [
        (1, "torch.zeros without device, dtype"),
        (3, "torch.arange without device"),
    ]
