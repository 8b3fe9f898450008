"""Whether an attention rotates its queries and keys by their positions (rotary embedding)."""

from __future__ import annotations

import inspect

from torch import nn

# Names under which an attention is given its rotary embedding.
ANGLES = {"position_embeddings", "rotary_pos_emb", "cos"}


def rotates(model: nn.Module, path: str) -> bool:
    """Whether the attention at a path rotates its queries and keys.

    The model has a module that makes the angles, and the attention holds it too or is given them;
    some models leave single layers out, and GPT-J has a table instead.

    Args:
        model: The model.
        path: The attention module's path.
    """
    try:
        module = model.get_submodule(path)
    except AttributeError:
        return False
    if not getattr(module, "use_rope", True):
        return False
    if getattr(module, "rotary_dim", None) or _makes_angles(module):
        return True
    given = inspect.signature(module.forward).parameters
    return not given.keys().isdisjoint(ANGLES) and _makes_angles(model)


def _makes_angles(module: nn.Module) -> bool:
    return any("rotary" in type(inner).__name__.lower() for inner in module.modules())
