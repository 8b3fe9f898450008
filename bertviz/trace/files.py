"""A trace as a file: extract on a server, look at it on a laptop.

The file is safetensors, so opening one from a stranger runs no code: it holds tensors by name and
one JSON text that says what they are. Tensors that layers share are written once.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bertviz.trace.attention_trace import AttentionTrace
from bertviz.trace.block import AttentionBlock
from bertviz.trace.formula import Formula
from bertviz.trace.layer import LayerAttention
from bertviz.trace.tokens import Tokens

if TYPE_CHECKING:
    from torch import Tensor

KEY = "bertviz.trace"
VERSION = 3  # of the format


def save(trace: AttentionTrace, path: str | os.PathLike[str]) -> None:
    """Write a trace to a file; implements ``AttentionTrace.save``."""
    from safetensors.torch import save_file

    target = Path(path)
    if target.suffix != ".safetensors":
        raise ValueError(
            f"path={str(target)!r} ends in {target.suffix!r}: expected .safetensors; save as"
            f" {target.with_suffix('.safetensors').name!r}. A picture is saved by its view:"
            ' head_view(trace, html_action="return").save("x.html").'
        )
    writer = _Writer()
    blocks = [
        {
            "name": block.name,
            "kind": block.kind,
            "query": vars(block.query),
            "key": vars(block.key),
            "layers": [
                writer.fields(f"{block.name}.{place}", layer)
                for place, layer in enumerate(block.layers)
            ],
        }
        for block in trace.blocks.values()
    ]
    about = {
        "version": VERSION,
        "model_name": trace.model_name,
        "dtype": trace.dtype,
        "exactness": trace.exactness,
        "blocks": blocks,
    }
    if trace.skipped:
        about["skipped"] = trace.skipped
    # Written to a neighboring file and moved into place: an error leaves an older file intact.
    beside = target.with_name(target.name + ".part")
    try:
        save_file(writer.tensors, beside, metadata={KEY: json.dumps(about)})
        os.replace(beside, target)
    finally:
        beside.unlink(missing_ok=True)


def load(path: str | os.PathLike[str]) -> AttentionTrace:
    """Read a trace from a file; implements ``AttentionTrace.load``."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            if KEY not in metadata:
                raise ValueError(
                    f"path={str(path)!r} holds tensors but not a trace: expected a file that"
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
            f"path={str(path)!r} is not a safetensors file ({error}): expected one that"
            " trace.save(...) wrote."
        ) from None
    blocks = {
        block["name"]: AttentionBlock(
            name=block["name"],
            kind=block["kind"],
            query=Tokens(**_tuples(block["query"])),
            key=Tokens(**_tuples(block["key"])),
            layers=tuple(_layer(fields, tensors) for fields in block["layers"]),
        )
        for block in about["blocks"]
    }
    return AttentionTrace(
        blocks=blocks,
        model_name=about["model_name"],
        dtype=about["dtype"],
        exactness=about["exactness"],
        skipped=about.get("skipped") or {},
    )


class _Writer:
    """The tensors of a file by name, each written once however many layers share it."""

    def __init__(self) -> None:
        self.tensors: dict[str, Tensor] = {}
        self._names: dict[int, str] = {}

    def fields(self, prefix: str, value: Any) -> dict[str, Any]:
        """A layer's or formula's fields as JSON; tensors by the name they have in the file."""
        found: dict[str, Any] = {}
        for field in dataclasses.fields(value):
            held = getattr(value, field.name)
            if isinstance(held, Formula):
                found[field.name] = self.fields(prefix, held)
            elif hasattr(held, "detach"):
                found[field.name] = {"tensor": self._written(f"{prefix}.{field.name}", held)}
            else:
                found[field.name] = held
        return found

    def _written(self, name: str, tensor: Tensor) -> str:
        if id(tensor) not in self._names:
            self._names[id(tensor)] = name
            self.tensors[name] = tensor.detach().cpu().contiguous().clone()
        return self._names[id(tensor)]


def _layer(fields: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> LayerAttention:
    """A layer from what ``_Writer.fields`` gave."""

    def read(held: Mapping[str, Any]) -> dict[str, Any]:
        return {
            name: tensors[value["tensor"]]
            if isinstance(value, dict) and "tensor" in value
            else value
            for name, value in _tuples(held).items()
        }

    known = read(fields)
    if known["formula"] is not None:
        known["formula"] = Formula(**read(known["formula"]))
    return LayerAttention(**known)


def _tuples(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(x) if isinstance(x, list) else x for name, x in values.items()}
