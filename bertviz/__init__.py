"""Where every attention head of a transformer looks, and how its attention is computed.

    from bertviz import head_view, model_view, neuron_view

    head_view(model, tokenizer, "I went to the store.", "At the store, I bought strawberries.")

Importing this package is fast: PyTorch, NumPy, transformers and IPython are imported when they are
needed. The view modules are imported here and not lazily, because ``bertviz.neuron_view`` is a
function and also a module that old code imports from: Python sets a submodule as an attribute of
its package when it is first imported, so that has to happen before the functions take the names.
"""

from __future__ import annotations

from importlib import import_module as _import_module
from typing import TYPE_CHECKING

from bertviz.head_view import head_view
from bertviz.model_view import model_view
from bertviz.neuron_view import neuron_view
from bertviz.views.head import HeadView
from bertviz.views.model import ModelView
from bertviz.views.neuron import NeuronView

if TYPE_CHECKING:
    from bertviz import extractor as extractor
    from bertviz.analysis.comparison import Comparison, compare
    from bertviz.analysis.neurons import HeadExplanation, explain_head
    from bertviz.analysis.patterns import PatternScores, find_patterns
    from bertviz.extractor import NothingCaptured, NotReproduced, extract
    from bertviz.trace import AttentionTrace
    from bertviz.views.figure import Figure, figure

__version__ = "2.0.0.dev0"

__all__ = [
    "AttentionTrace",
    "Comparison",
    "Figure",
    "HeadExplanation",
    "HeadView",
    "ModelView",
    "NeuronView",
    "NotReproduced",
    "NothingCaptured",
    "PatternScores",
    "__version__",
    "compare",
    "explain_head",
    "extract",
    "extractor",
    "figure",
    "find_patterns",
    "head_view",
    "model_view",
    "neuron_view",
]

_LAZY = {
    "AttentionTrace": "bertviz.trace",
    "Comparison": "bertviz.analysis.comparison",
    "Figure": "bertviz.views.figure",
    "HeadExplanation": "bertviz.analysis.neurons",
    "NotReproduced": "bertviz.extractor",
    "NothingCaptured": "bertviz.extractor",
    "PatternScores": "bertviz.analysis.patterns",
    "compare": "bertviz.analysis.comparison",
    "explain_head": "bertviz.analysis.neurons",
    "extract": "bertviz.extractor",
    "extractor": "bertviz.extractor",
    "figure": "bertviz.views.figure",
    "find_patterns": "bertviz.analysis.patterns",
}


def __getattr__(name: str) -> object:
    if name not in _LAZY:
        raise AttributeError(f"module 'bertviz' has no attribute {name!r}")
    module = _import_module(_LAZY[name])
    value: object = module if name == "extractor" else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
