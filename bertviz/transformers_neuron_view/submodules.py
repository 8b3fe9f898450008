"""Where ``transformers`` has what BertViz's copies of its modules had.

The problem. BertViz's package had 18 modules of code copied from an early transformers. Eighteen
files here would say the same 18 times, so the submodules are made when the package is imported:
each looks a name up when it is asked for, in ``transformers`` itself and then in the modules of it
that took its place. Nothing of transformers is imported before.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

COMMON = ("modeling_utils", "pytorch_utils", "activations", "utils")


def _model(name: str) -> tuple[str, ...]:
    folder = f"models.{name}"
    return (f"{folder}.modeling_{name}", f"{folder}.configuration_{name}", *COMMON)


def _tokenizer(name: str) -> tuple[str, ...]:
    return (f"models.{name}.tokenization_{name}", "tokenization_utils_base")


# BertViz's submodules, and the modules of transformers that have their names now.
SUBMODULES: Mapping[str, Sequence[str]] = {
    "file_utils": ("utils", "utils.hub"),
    "modeling_bert": _model("bert"),
    "modeling_gpt2": _model("gpt2"),
    "modeling_openai": _model("openai"),
    "modeling_roberta": _model("roberta"),
    "modeling_transfo_xl": (),
    "modeling_transfo_xl_utilities": (),
    "modeling_utils": COMMON,
    "modeling_xlm": _model("xlm"),
    "modeling_xlnet": _model("xlnet"),
    "tokenization_bert": (*_tokenizer("bert"), "models.bert.tokenization_bert_legacy"),
    "tokenization_gpt2": _tokenizer("gpt2"),
    "tokenization_openai": _tokenizer("openai"),
    "tokenization_roberta": _tokenizer("roberta"),
    "tokenization_transfo_xl": (),
    "tokenization_utils": ("tokenization_utils_base", "tokenization_utils"),
    "tokenization_xlm": _tokenizer("xlm"),
    "tokenization_xlnet": _tokenizer("xlnet"),
}

# What to use in place of names that transformers gave up.
INSTEAD = {
    "TransfoXL": "use another model; head_view, model_view and neuron_view read any.",
    "_ARCHIVE_MAP": "from_pretrained takes the model's name and finds its files.",
    "load_tf_weights": "TensorFlow checkpoints are no longer read: convert the checkpoint with an"
    " older transformers and load it with from_pretrained.",
    "TF_WEIGHTS_NAME": "TensorFlow checkpoints are no longer read.",
    "cached_path": "use huggingface_hub.hf_hub_download.",
    "_CACHE": "use huggingface_hub.constants.HF_HUB_CACHE.",
    "prune": "transformers no longer prunes heads.",
}


class Submodule(ModuleType):
    """A module whose names are those of ``transformers``."""

    def __init__(self, name: str, places: Sequence[str]) -> None:
        super().__init__(name, f"BertViz 1.x's {name.rpartition('.')[2]}: names of transformers.")
        self.__spec__ = ModuleSpec(name, None)
        self._places = places

    def __getattr__(self, name: str) -> Any:
        return find(self.__name__, name, self._places)


def add_submodules(package: str) -> None:
    """Make the submodules of a package that is being imported."""
    for name, places in SUBMODULES.items():
        module = Submodule(f"{package}.{name}", places)
        sys.modules[module.__name__] = module
        setattr(sys.modules[package], name, module)


def find(module: str, name: str, places: Sequence[str] = COMMON) -> object:
    """What ``transformers`` has under a name.

    Args:
        module: The module that was asked for it.
        name: The name.
        places: The modules of transformers that may have it, beside transformers itself.

    Raises:
        ImportError: It is gone from transformers; the message says what to use instead. (Of an
            AttributeError's message ``from ... import`` would show nothing.)
        AttributeError: It is in none of them.
    """
    if not name.startswith("_"):
        for place in ("", *places):
            try:
                return getattr(importlib.import_module(f"transformers.{place}".rstrip(".")), name)
            except (AttributeError, ModuleNotFoundError):
                continue
        for part, instead in INSTEAD.items():
            if part in name:
                raise ImportError(f"{name} is gone from transformers: {instead}", name=module)
    raise AttributeError(
        f"module {module!r} has no attribute {name!r}, and neither has transformers: head_view,"
        " model_view and neuron_view take any model of transformers itself."
    )
