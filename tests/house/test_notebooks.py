"""Every notebook runs from top to bottom, without a model hub."""

from __future__ import annotations

from pathlib import Path

import nbclient
import nbformat
import pytest

from tests.helpers import ROOT

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("JUPYTER_PREFER_ENV_PATH", "1")
    notebook = nbformat.read(path, as_version=4)
    assert all(not cell.get("outputs") for cell in notebook.cells), "committed without outputs"
    resources = {"metadata": {"path": str(path.parent)}}
    nbclient.NotebookClient(notebook, timeout=300, resources=resources).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    pictures = [x for x in outputs if 'class="bertviz"' in x.get("data", {}).get("text/html", "")]
    assert pictures, "a notebook shows at least one view"


def test_notebooks_are_there() -> None:
    names = {path.stem for path in NOTEBOOKS}
    assert names >= {"quickstart", "head_view", "model_view", "neuron_view", "neuron_view_colab"}
    assert names >= {"six_patterns", "neurons"}
