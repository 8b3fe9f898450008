"""What is too old is refused in a sentence, and the bounds are the same everywhere."""

from __future__ import annotations

import re
from typing import Any

import pytest

from bertviz.extractor.versions import OLDEST, check_versions
from tests.helpers import ROOT

REQUIRED = (ROOT / "pyproject.toml").read_text("utf-8")


@pytest.mark.parametrize(
    ("package", "version"),
    [("transformers", "4.57.6"), ("transformers", "5.0.0"), ("torch", "2.4.0"), ("torch", "1.13")],
)
def test_a_version_that_is_too_old(package: str, version: str) -> None:
    expected = rf"{package} {version} is too old: bertviz needs .* pip install --upgrade"
    with pytest.raises(ImportError, match=expected):
        check_versions({package: version})


@pytest.mark.parametrize("version", ["2.13.0+cpu", "2.6.0+debian", "3.0.0a0+git1234", "2.7"])
def test_versions_that_are_not(version: str) -> None:
    check_versions({"torch": version})


@pytest.mark.parametrize("package", OLDEST)
def test_the_bounds_of_the_package_are_those_that_were_tested(package: str) -> None:
    assert f'"{package}>={OLDEST[package]}"' in REQUIRED
    readme = (ROOT / "README.md").read_text("utf-8")
    assert re.search(rf"{package} {re.escape(OLDEST[package])}\b", readme, re.IGNORECASE)
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert f"{package}=={OLDEST[package]}." in makefile


def test_an_older_one_is_refused_at_the_first_use(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib
    import importlib.metadata

    import bertviz.extractor.versions as versions

    def version(name: str, real: Any = importlib.metadata.version) -> str:
        return "4.57.6" if name == "transformers" else str(real(name))

    monkeypatch.setattr(importlib.metadata, "version", version)
    with pytest.raises(ImportError, match=r"transformers 4\.57\.6 is too old"):
        importlib.reload(versions)
    monkeypatch.undo()
    importlib.reload(versions)
