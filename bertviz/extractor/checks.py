"""Refuses what would fail deep inside a model before it runs, and says what to do instead."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from bertviz.errors import a_type

if TYPE_CHECKING:
    from bertviz.extractor.inputs import Reading


def check_model(model: object) -> None:
    """Refuse anything but a module."""
    if isinstance(model, nn.Module):
        return
    if isinstance(model, str):
        fix = f"load it first: AutoModel.from_pretrained({model!r})"
    elif isinstance(getattr(model, "model", None), nn.Module):
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
    if tokenizer is None or hasattr(tokenizer, "convert_ids_to_tokens"):
        return
    inner = getattr(tokenizer, "tokenizer", None)
    hint = "pass x.tokenizer" if inner is not None else "pass AutoTokenizer.from_pretrained(...)"
    raise TypeError(
        f"tokenizer is {a_type(tokenizer)}: expected a Hugging Face tokenizer; {hint}. A"
        " text comes third: extract(model, tokenizer, text)."
    )


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
            warnings.warn(
                f"{where} has {length} tokens, more than the {soft} positions that"
                f" {type(model).__name__} was made for.",
                stacklevel=4,
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
