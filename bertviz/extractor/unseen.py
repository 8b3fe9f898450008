"""Modules whose attention may have run where nobody sees it.

The problem. Custom operations, compiled TorchScript and other threads compute without telling the
capture. What ran there may be attention, and must not be missing without a word. But most of it
is not: a rotary embedding or a norm, say, beside an attention that was captured.

So suspicions are collected while the model runs, and count afterwards where nothing else of the
same module is known.
"""

from __future__ import annotations

from collections.abc import Iterable

from torch import jit, nn

ELSEWHERE = "it ran in another thread, where its operations are not seen"
SCRIPTED = "it is compiled with TorchScript, whose operations are not seen"


class Unseen:
    """Suspicions, by the path of a module."""

    def __init__(self) -> None:
        self._reasons: dict[str, str] = {}

    def note(self, path: str, reason: str) -> None:
        """Note that a module may have computed attention unseen."""
        self._reasons.setdefault(path, reason)

    def besides(self, known: Iterable[str]) -> dict[str, str]:
        """The reasons by path, without those inside or around modules that are known.

        >>> unseen = Unseen()
        >>> for path in ("layers.1", "layers.1.attention", "layers.10", "layers.2.norm"):
        ...     unseen.note(path, "why")
        >>> unseen.besides(["layers.2"])
        {'layers.1': 'why', 'layers.10': 'why'}
        """
        found: dict[str, str] = {}
        settled = list(known)
        for path in sorted(self._reasons, key=lambda path: len(_parts(path))):
            if not any(_nested(path, other) for other in settled):
                found[path] = self._reasons[path]
                settled.append(path)
        return found


def is_scripted_attention(module: nn.Module) -> bool:
    """Whether a module is TorchScript that computes a softmax."""
    if not isinstance(module, jit.ScriptModule):
        return False
    graph = str(module.inlined_graph)
    return "softmax" in graph or "scaled_dot_product" in graph


def _nested(one: str, other: str) -> bool:
    return all(a == b for a, b in zip(_parts(one), _parts(other), strict=False))


def _parts(path: str) -> list[str]:
    return path.split(".") if path else []
