"""Refuses what would fail deep inside a model before it runs, and says what to do instead."""

from __future__ import annotations

import contextlib
import inspect
import re
import sys
import weakref
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, jit, nn
from transformers import PreTrainedModel

from bertviz.arguments import offers
from bertviz.errors import a_type, short, suggestion, warn_caller

if TYPE_CHECKING:
    from bertviz.extractor.inputs import Reading


def check_model(model: object) -> None:
    """Refuse anything but a module."""
    if isinstance(model, jit.ScriptModule):
        raise TypeError(
            f"model is {a_type(model)}, compiled with TorchScript, which computes where nothing is"
            " seen: pass the module that it was made from."
        )
    if isinstance(model, nn.Module):
        return
    if isinstance(model, str):
        fix = f"load it first: AutoModel.from_pretrained({short(model)})"
    elif offers(model, "model") and isinstance(model.model, nn.Module):  # type: ignore[attr-defined]
        fix = "pass the model it holds, x.model"
    else:
        fix = "pass what AutoModel.from_pretrained(...) gives"
    raise TypeError(f"model is {a_type(model)}: expected a torch.nn.Module; {fix}.")


def check_numbers(model: nn.Module) -> None:
    """Refuse a model whose numbers are not here: it has none yet, or other processes have some.

    Raises:
        ValueError: All parameters are on the meta device, are fake, or are parts of larger ones.
    """
    parameters = list(model.parameters())
    # Parameters that accelerate offloads are on "meta", too; its hooks bring them when they run.
    offloaded = any(hasattr(module, "_hf_hook") for module in model.modules())
    if parameters and not offloaded and all(p.device.type == "meta" for p in parameters):
        raise ValueError(
            f"{type(model).__name__} is on the meta device, where parameters have a shape and no"
            " numbers: load it with from_pretrained(...), or give it numbers first, with"
            " model.to_empty(device='cpu') and model.load_state_dict(...)."
        )
    if any(type(p).__name__ == "FakeTensor" for p in parameters):
        raise ValueError(
            f"{type(model).__name__} was made in a FakeTensorMode, in which tensors have a shape"
            " and no numbers: make it outside of that mode."
        )
    processes = _processes(model)
    if processes > 1:
        raise ValueError(
            f"{type(model).__name__} is split over {processes} processes (tensor parallel), of"
            " which each computes some of the heads: no process could capture all. Load the model"
            " whole, for example with device_map='auto'."
        )


def _processes(model: nn.Module) -> int:
    """Over how many processes a model's layers are split."""
    processes = [int(getattr(model, "_tp_size", None) or 1)]  # as transformers notes it
    for module in model.modules():
        if any("FSDP" in kind.__name__ for kind in type(module).__mro__):
            continue  # it gathers its parameters before it runs
        parameter: Any  # a DTensor, if it has placements
        for parameter in module.parameters(recurse=False):
            places = getattr(parameter, "placements", ())
            if any(place.is_shard() for place in places):
                processes.append(int(parameter.device_mesh.size()))
    return max(processes)


def check_tokenizer(tokenizer: object) -> None:
    """Refuse anything but a tokenizer."""
    if tokenizer is None or offers(tokenizer, "convert_ids_to_tokens"):
        return
    hint = (
        "pass x.tokenizer"
        if offers(tokenizer, "tokenizer")
        else "pass AutoTokenizer.from_pretrained(...)"
    )
    raise TypeError(
        f"tokenizer is {a_type(tokenizer)}: expected a Hugging Face tokenizer; {hint}. A"
        " text comes third: extract(model, tokenizer, text)."
    )


def check_text(name: str, text: str) -> None:
    """Refuse a text that no tokenizer can read.

    Args:
        name: The argument's name.
        text: What was passed.

    Raises:
        ValueError: It is empty, or holds half of a character.
    """
    if not text.strip():
        raise ValueError(f"{name}={short(text)} is empty: expected a text of at least one word.")
    half = re.search("[\ud800-\udfff]", text)
    if half is not None:
        raise ValueError(
            f"{name} holds {half[0]!r} at position {half.start()}, half of a character (a lone"
            f" surrogate), which no tokenizer can read: pass"
            f" {name}.encode('utf-16', 'surrogatepass').decode('utf-16', 'replace')."
        )


def check_names(model: nn.Module, inputs: Mapping[Any, Any]) -> None:
    """Refuse inputs that the model's forward has no argument for.

    Raises:
        TypeError: A name is not a string, or unknown to the model.
    """
    parameters = inspect.signature(model.forward).parameters
    takes_any = any(each.kind is each.VAR_KEYWORD for each in parameters.values())
    for name in inputs:
        if not isinstance(name, str):
            raise TypeError(
                f"inputs has the key {short(name)}, {a_type(name)}: expected names of what"
                f" {type(model).__name__}'s forward takes, such as 'input_ids'."
            )
        if not takes_any and name not in parameters:
            raise TypeError(
                f"inputs has the key {short(name)}, which {type(model).__name__}'s forward does not"
                f" take: {suggestion(name, parameters)}"
            )


def check_batch(model: nn.Module, batch: Mapping[str, Any]) -> None:
    """Refuse ids and masks that fail deep inside a transformers model.

    Raises:
        TypeError: Ids are not integers.
        ValueError: They are empty, or do not fit each other.
    """
    if not isinstance(model, PreTrainedModel):
        return
    numbers = ("input_ids", "decoder_input_ids", "token_type_ids", "position_ids")
    for name in numbers:
        ids = batch.get(name)
        if ids is None:
            continue
        if (
            not isinstance(ids, Tensor)
            or ids.is_nested
            or ids.dtype not in (torch.int64, torch.int32)
        ):
            found = ids.dtype if isinstance(ids, Tensor) else a_type(ids)
            raise TypeError(
                f"inputs[{name!r}] is {found}: expected a tensor of integers (torch.int64), as"
                " tokenizer(text, return_tensors='pt') gives."
            )
        if ids.ndim < 2 or not ids.numel():
            raise ValueError(
                f"inputs[{name!r}] has shape {tuple(ids.shape)}: expected (texts, tokens), at least"
                " one of each."
            )
    _check_shapes(batch)
    kinds = getattr(model.config, "type_vocab_size", None)
    segments = batch.get("token_type_ids")
    if isinstance(kinds, int) and segments is not None:
        lowest, highest = int(segments.min()), int(segments.max())
        if lowest < 0 or highest >= max(kinds, 1):
            raise ValueError(
                f"inputs['token_type_ids'] holds {lowest if lowest < 0 else highest}:"
                f" {type(model).__name__} has embeddings for 0 to {max(kinds, 1) - 1}."
            )


def _check_shapes(batch: Mapping[str, Any]) -> None:
    """Refuse a mask or segments of another shape than the ids they belong to."""
    for name, owner in (
        ("attention_mask", "input_ids"),
        ("token_type_ids", "input_ids"),
        ("decoder_attention_mask", "decoder_input_ids"),
    ):
        ids, value = batch.get(owner), batch.get(name)
        if ids is None or value is None or ids.ndim != 2:
            continue
        if not isinstance(value, Tensor) or value.is_nested:
            raise TypeError(
                f"inputs[{name!r}] is {short(value)}: expected a tensor of the shape of {owner},"
                f" {tuple(ids.shape)}."
            )
        if value.ndim < 3 and value.shape != ids.shape:
            raise ValueError(
                f"inputs[{name!r}] has shape {tuple(value.shape)}, {owner} has {tuple(ids.shape)}:"
                " expected the same."
            )


def device_to_keep(device: Any) -> torch.device:
    """Where queries and keys are to be kept.

    Raises:
        TypeError: It is not a device.
        ValueError: There is no such device here.
    """
    expected = "expected a device that is there, such as device='cpu'"
    if not isinstance(device, str | torch.device | int) or isinstance(device, bool):
        raise TypeError(f"device={short(device)} is {a_type(device)}: {expected}.")
    try:
        found = torch.device(device)
        torch.empty(0, dtype=torch.float32, device=found)
    except Exception as error:
        raise ValueError(
            f"device={short(device)} cannot be used ({short(error)}): {expected}."
        ) from None
    if found.type == "meta":
        raise ValueError(f"device={short(device)} holds no numbers: {expected}.")
    return found


def _size(value: Any) -> str:
    """The shape and type of a tensor; anything else as it is."""
    try:
        return f"{tuple(value.shape)} {str(value.dtype).removeprefix('torch.')}"
    except Exception:
        return short(value)


@contextlib.contextmanager
def described(reading: Reading, generate: Mapping[str, Any] | None) -> Iterator[None]:
    """While a model runs: note on its errors what it was called with, which its own rarely say."""
    try:
        yield
    except Exception as error:
        if sys.version_info >= (3, 11):
            shapes = ", ".join(f"{name} {_size(value)}" for name, value in reading.batch.items())
            options = "" if generate is None else f", with generate={short(generate)}"
            error.add_note(
                f"{type(reading.model).__name__} was running on inputs: {shapes}{options}."
            )
            if isinstance(error, KeyError) and error.args and _is_identity(error.args[0]):
                error.add_note(
                    "What ran is a copy of its modules that shares its parameters; something"
                    " outside the model looks up a module by its identity and does not know the"
                    " copy. Keep it inside the model, or look it up by a name."
                )
        raise


def _is_identity(key: object) -> bool:
    return isinstance(key, nn.Module | int | weakref.ReferenceType)


def check_ids(reading: Reading, given: bool) -> None:
    """Refuse what would fail deep inside the model: too long a text, unknown ids."""
    model, batch = reading.model, reading.batch
    soft = getattr(getattr(model, "config", None), "max_position_embeddings", None)
    for name, stack in (("input_ids", model), ("decoder_input_ids", reading.decoder or model)):
        ids = batch.get(name)
        if not isinstance(ids, Tensor) or ids.ndim != 2 or not ids.numel():
            continue
        table = _input_embeddings(stack)
        lowest, highest = int(ids.min()), int(ids.max())
        if table is not None and (lowest < 0 or highest >= table):
            raise ValueError(
                f"{name} holds {lowest if lowest < 0 else highest}, but the model has embeddings"
                f" for ids 0 to {table - 1}: the tokenizer does not fit the model. Load both from"
                " the same name."
            )
        length, limit = ids.shape[1], _positions(stack)
        where = f"inputs[{name!r}]" if given else "text" if name == "input_ids" else "text_pair"
        if limit is not None and length > limit:
            raise ValueError(
                f"{where} has {length} tokens, special tokens included; {type(model).__name__}"
                f" takes at most {limit}. Shorten it, or pass inputs=tokenizer(text,"
                f" truncation=True, max_length={limit}, return_tensors='pt')."
            )
        if limit is None and isinstance(soft, int) and length > soft > 0:
            # Rotary and relative positions have no limit: the model runs, but beyond its training.
            warn_caller(
                f"{where} has {length} tokens, more than the {soft} positions that"
                f" {type(model).__name__} was made for.",
            )


def _input_embeddings(model: nn.Module) -> int | None:
    """How many ids a model has an embedding for, if it says so."""
    try:
        table = model.get_input_embeddings()  # type: ignore[operator]
    except (AttributeError, NotImplementedError):
        return None
    return int(table.num_embeddings) if isinstance(table, nn.Embedding) else None


def _positions(model: nn.Module) -> int | None:
    """How many positions a model has an embedding for; None if there is no limit."""
    names = {"position_embeddings", "position_embedding", "embed_positions", "wpe"}
    limits = []
    for parent in model.modules():
        tables = {n: m for n, m in parent.named_children() if isinstance(m, nn.Embedding)}
        if not set(tables) - names:
            continue  # positions of an image's patches: no token embeddings here
        for module in (tables[name] for name in names & set(tables)):
            # RoBERTa counts from after its padding index, BART skips two.
            first = module.padding_idx + 1 if module.padding_idx is not None else 0
            limits.append(module.num_embeddings - max(first, int(getattr(module, "offset", 0))))
    return min(limits) if limits else None
