"""The import path of BertViz 1.x's own model classes, now the real ones of ``transformers``.

BertViz's neuron view needed modified copies of three models, and old notebooks import them from
here. The views read unmodified models, so these names are the classes of ``transformers``
themselves; new code imports them from there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import (
        BertModel,
        BertTokenizer,
        GPT2Model,
        GPT2Tokenizer,
        RobertaModel,
        RobertaTokenizer,
    )

__all__ = [
    "BertModel",
    "BertTokenizer",
    "GPT2Model",
    "GPT2Tokenizer",
    "RobertaModel",
    "RobertaTokenizer",
]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(
            f"module {__name__!r} has no attribute {name!r}: it offers {', '.join(__all__)}. Any"
            f" other class comes from transformers itself: from transformers import {name}"
        )
    import transformers

    return getattr(transformers, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
