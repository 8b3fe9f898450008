"""A trace as a file: extract on a server, look at it on a laptop.

The file is safetensors, so opening one that a stranger sent runs nothing: tensors by name, and one
JSON text that says what they are. Tensors that layers share are written once.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from bertviz.trace import AttentionBlock, AttentionTrace, LayerAttention

if TYPE_CHECKING:
    from torch import Tensor

KEY = "bertviz.trace"
VERSION = 2  # of the format
TENSORS = ("queries", "keys", "sinks", "mask", "position_bias", "given_weights")
FIELDS = ("index", "name", "heads", "scaling", "softcap", "causal", "key_heads", "rotary")
TOKENS = ("tokens", "text", "sentences", "words", "special")


def save(trace: AttentionTrace, path: str | os.PathLike[str]) -> None:
    """Write a trace; see ``AttentionTrace.save``."""
    from safetensors.torch import save_file

    target = Path(path)
    if target.suffix != ".safetensors":
        raise ValueError(
            f"path={str(target)!r} ends in {target.suffix!r}: expected .safetensors; save as"
            f" {target.with_suffix('.safetensors').name!r}. A picture is saved by its view:"
            ' head_view(trace, html_action="return").save("x.html").'
        )
    tensors: dict[str, Tensor] = {}
    names: dict[int, str] = {}

    def written(name: str, tensor: Tensor | None) -> str | None:
        if tensor is None:
            return None
        if id(tensor) not in names:
            names[id(tensor)] = name
            tensors[name] = tensor.detach().cpu().contiguous().clone()
        return names[id(tensor)]

    blocks = []
    for block in trace.blocks.values():
        layers = []
        for place, layer in enumerate(block.layers):
            fields: dict[str, Any] = {name: getattr(layer, name) for name in FIELDS}
            for name in TENSORS:
                fields[name] = written(f"{block.name}.{place}.{name}", getattr(layer, name))
            layers.append(fields)
        blocks.append(
            {
                "name": block.name,
                "kind": block.kind,
                **{
                    f"{side}_{name}": getattr(block, f"{side}_{name}")
                    for side in ("query", "key")
                    for name in TOKENS
                },
                "layers": layers,
            }
        )
    about = {
        "version": VERSION,
        "model_name": trace.model_name,
        "dtype": trace.dtype,
        "exactness": None if trace.exactness is None else dict(trace.exactness),
        "blocks": blocks,
    }
    # Written beside and put in place at once: an error leaves an older file as it was.
    beside = target.with_name(target.name + ".part")
    try:
        save_file(tensors, beside, metadata={KEY: json.dumps(about)})
        os.replace(beside, target)
    finally:
        beside.unlink(missing_ok=True)


def load(path: str | os.PathLike[str]) -> AttentionTrace:
    """Read a trace; see ``AttentionTrace.load``."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            if KEY not in metadata:
                raise ValueError(
                    f"path={str(path)!r} holds tensors, but no trace: expected a file that"
                    " trace.save(...) wrote."
                )
            about = json.loads(metadata[KEY])
            if about["version"] != VERSION:
                raise ValueError(
                    f"path={str(path)!r} was written in version {about['version']} of the format,"
                    f" this bertviz reads {VERSION}: load it with the bertviz that wrote it."
                )
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(
            f"path={str(path)!r} is no safetensors file ({error}): expected one that"
            " trace.save(...) wrote."
        ) from None
    blocks = {}
    for block in about["blocks"]:
        layers = []
        for fields in block.pop("layers"):
            known: dict[str, Any] = {name: _as_tuple(fields[name]) for name in FIELDS}
            for name in TENSORS:
                known[name] = None if fields[name] is None else tensors[fields[name]]
            layers.append(LayerAttention(**known))
        rest = {name: _as_tuple(value) for name, value in block.items()}
        blocks[block["name"]] = AttentionBlock(**rest, layers=tuple(layers))
    return AttentionTrace(
        blocks=MappingProxyType(blocks),
        model_name=about["model_name"],
        dtype=about["dtype"],
        exactness=about["exactness"],
    )


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
