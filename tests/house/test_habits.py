"""What hosts and tools read beside the code parses, and says the same as the code."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

import bertviz
from tests.helpers import ROOT

FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))


def read(path: Path) -> object:
    return yaml.safe_load(path.read_text("utf-8"))


def test_the_citation_is_of_this_version() -> None:
    citation = read(ROOT / "CITATION.cff")
    assert {"cff-version", "message", "title", "authors"} <= set(citation)
    assert citation["version"] == bertviz.__version__
    assert citation["license"] == "Apache-2.0"


def test_hooks_run_tools_of_the_projects_own_environment() -> None:
    [repository] = read(ROOT / ".pre-commit-config.yaml")["repos"]
    assert repository["repo"] == "local", "a pinned remote would be a second place for versions"
    hooks = {hook["id"]: hook for hook in repository["hooks"]}
    assert set(hooks) == {"ruff", "ruff-format", "mypy", "prettier", "eslint", "tsc"}
    for hook in hooks.values():
        assert hook["language"] == "system"
        assert hook["entry"].startswith(".venv/bin/")


def test_the_workflow_calls_what_developers_call() -> None:
    job = read(ROOT / ".github" / "workflows" / "test.yml")["jobs"]["test"]
    steps = [step["run"] for step in job["steps"] if "run" in step]
    assert steps == ["make test PYTHON=python"]
    classifiers = (ROOT / "pyproject.toml").read_text("utf-8")
    for version in job["strategy"]["matrix"]["python"]:
        assert f'"Programming Language :: Python :: {version}"' in classifiers


@pytest.mark.parametrize("path", [p for p in FORMS if p.stem != "config"], ids=lambda p: p.stem)
def test_issue_forms_ask_for_version_frontend_and_model(path: Path) -> None:
    form = read(path)
    assert {"name", "description", "body"} <= set(form)
    fields = {field["id"]: field["type"] for field in form["body"]}
    assert {"frontend", "model"} <= set(fields)
    assert {"version", "versions"} & set(fields)
    assert set(fields.values()) <= {"input", "textarea", "dropdown"}
