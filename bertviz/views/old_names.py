"""Names that old code imports from a view's module, found when they are asked for.

``from bertviz.head_view import *`` brought what BertViz's module had imported itself: IPython's
``HTML`` and ``display``, ``json``, ``os``, ``uuid`` and the helpers of ``bertviz.util``. Projects
that copied the function and changed it live on these names.
"""

from __future__ import annotations

import importlib

# Where each is: a module, or something in it.
WHERE = {
    "HTML": "IPython.display",
    "Javascript": "IPython.display",
    "display": "IPython.display",
    "defaultdict": "collections",
    "format_attention": "bertviz.util",
    "format_special_chars": "bertviz.util",
    "num_heads": "bertviz.util",
    "num_layers": "bertviz.util",
    "json": "",
    "os": "",
    "torch": "",
    "uuid": "",
}


IMPORTED = ("HTML", "Javascript", "display", "json", "os", "uuid")
OFFERED = {
    "bertviz.head_view": (*IMPORTED, "format_attention", "format_special_chars", "num_layers"),
    "bertviz.model_view": (
        *IMPORTED,
        *("format_attention", "format_special_chars", "num_heads", "num_layers"),
    ),
    "bertviz.neuron_view": (*IMPORTED, "defaultdict", "torch"),
}


def old_name(module: str, name: str) -> object:
    """What a module of BertViz had under a name.

    Args:
        module: The module's name.
        name: The name that was asked for.

    Raises:
        AttributeError: It is not one of those it offers.
    """
    if name not in OFFERED[module]:
        raise AttributeError(f"module {module!r} has no attribute {name!r}")
    if not WHERE[name]:
        return importlib.import_module(name)
    return getattr(importlib.import_module(WHERE[name]), name)
