"""Imports run one way, and importing bertviz is cheap (design: one direction of data)."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import bertviz

PACKAGE = Path(bertviz.__file__).parent

# trace <- extractor, arrays <- analysis <- web <- views <- doors: a room imports from itself and
# from the rooms left of it. Everybody may phrase an error, show
# progress and write a file.
FLOORS = [
    {"errors"},
    {"arguments"},
    {"listed", "progress", "writing"},
    {"trace"},
    {"extractor", "arrays"},
    {"analysis"},
    {"web"},
    {"views"},
    {"util"},
    {"head_view", "model_view", "neuron_view"},
    {"__init__"},
    {"__main__"},
]
FLOOR = {room: number for number, floor in enumerate(FLOORS) for room in floor}

# The only exceptions: `AttentionTrace.from_arrays` and `.verify` belong on the trace, and later
# rooms do the work; they are imported when they are called.
EXCEPTIONS = {("trace", "arrays"), ("trace", "extractor")}
HEAVY = {"torch", "numpy", "transformers", "IPython", "jax", "marimo"}
HEAVY_AT_TOP = {"extractor": {"torch", "transformers", "numpy"}}


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def name_of(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imports(tree: ast.AST, *, nested: bool) -> Iterator[str]:
    """Dotted names a module imports; those for type checkers alone don't count."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            yield from imports(ast.Module(node.orelse, []), nested=nested)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif nested or not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from imports(node, nested=nested)


def own_imports(path: Path) -> set[str]:
    """The modules of this package that a module imports, also inside functions."""
    found = set()
    for name in imports(ast.parse(path.read_text(encoding="utf-8")), nested=True):
        parts = name.split(".")
        if parts[0] != "bertviz":
            continue
        inner = parts[1] if len(parts) > 1 else "__init__"
        found.add(inner if (PACKAGE / inner).is_dir() or inner in FLOOR else "__init__")
    return found - {name_of(path)}


@pytest.mark.parametrize("path", [p for p in modules() if name_of(p) in FLOOR], ids=name_of)
def test_imports_run_one_way(path: Path) -> None:
    module = name_of(path)
    for other in own_imports(path):
        if (module, other) in EXCEPTIONS or other not in FLOOR:
            continue
        assert FLOOR[other] < FLOOR[module], f"{module} imports {other}, which comes after it"


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_heavy_packages_are_imported_in_functions(path: Path) -> None:
    top = {name.split(".")[0] for name in imports(ast.parse(path.read_text("utf-8")), nested=False)}
    assert top & HEAVY <= HEAVY_AT_TOP.get(name_of(path), set())


def test_the_direction_is_really_tested() -> None:
    beside = {name_of(path) for path in modules()} - set(FLOOR)
    assert beside == {"demo", "transformers_neuron_view"}
    assert own_imports(PACKAGE / "head_view.py") == {"views"}
    assert "extractor" in own_imports(PACKAGE / "views" / "sources.py")


def test_importing_bertviz_imports_nothing_heavy() -> None:
    code = (
        "import sys, bertviz, bertviz.head_view, bertviz.transformers_neuron_view\n"
        f"print(sorted({HEAVY!r} & set(sys.modules)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


def test_no_module_imports_itself_by_way_of_others() -> None:
    names = {".".join(p.relative_to(PACKAGE.parent).with_suffix("").parts): p for p in modules()}
    names = {name.removesuffix(".__init__"): path for name, path in names.items()}

    def first(name: str) -> str | None:
        while name and name not in names:
            name = name.rpartition(".")[0]
        return name or None

    direct = {
        name: {first(x) for x in imports(ast.parse(path.read_text("utf-8")), nested=False)} - {None}
        for name, path in names.items()
    }
    assert sum(map(len, direct.values())) > 100

    def reached(name: str, seen: set[str]) -> set[str]:
        for other in direct[name] - seen:
            seen.add(other)
            reached(other, seen)
        return seen

    assert [name for name in names if name in reached(name, set())] == []


def test_no_file_is_dreaded() -> None:
    lines = {path: len(path.read_text("utf-8").splitlines()) for path in modules()}
    assert {path: count for path, count in lines.items() if count > 400} == {}
