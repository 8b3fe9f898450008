"""What the model reads: a text or a batch, checked before anything runs."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase


def has_two_stacks(model: nn.Module) -> bool:
    """Whether a model is an encoder-decoder; its encoder alone has the same configuration."""
    if not getattr(getattr(model, "config", None), "is_encoder_decoder", False):
        return False
    known = inspect.signature(model.forward).parameters
    return "decoder_input_ids" in known or not isinstance(model, PreTrainedModel)


def decoder_of(model: nn.Module) -> nn.Module | None:
    """The decoder of an encoder-decoder."""
    if not has_two_stacks(model):
        return None
    get_decoder = getattr(model, "get_decoder", None)
    decoder = get_decoder() if callable(get_decoder) else None
    return decoder if isinstance(decoder, nn.Module) else None


def check_model(model: object) -> None:
    """Refuse what is no module."""
    if isinstance(model, nn.Module):
        return
    if isinstance(model, str):
        fix = f"load it first: AutoModel.from_pretrained({model!r})"
    elif isinstance(getattr(model, "model", None), nn.Module):
        fix = "pass the model that it holds, x.model"
    else:
        fix = "pass what AutoModel.from_pretrained(...) gives"
    raise TypeError(f"model is a {type(model).__name__}: expected a torch.nn.Module; {fix}.")


def check_tokenizer(tokenizer: object) -> None:
    """Refuse what is no tokenizer."""
    if tokenizer is None or hasattr(tokenizer, "convert_ids_to_tokens"):
        return
    inner = getattr(tokenizer, "tokenizer", None)
    hint = "pass x.tokenizer" if inner is not None else "pass AutoTokenizer.from_pretrained(...)"
    raise TypeError(
        f"tokenizer is a {type(tokenizer).__name__}: expected a Hugging Face tokenizer; {hint}. A"
        " text comes third: extract(model, tokenizer, text)."
    )


def encode(
    model: nn.Module,
    tokenizer: PreTrainedTokenizerBase | None,
    text: object,
    text_pair: object,
    *,
    writes: bool = False,
) -> Mapping[str, Any]:
    """Tokenize a text, or a pair, whole; a model that writes begins its second text itself."""
    if text is None:
        raise TypeError(
            "extract() got no text: pass extract(model, tokenizer, text), or inputs=..., a batch"
            " that the tokenizer made."
        )
    for name, value in (("text", text), ("text_pair", text_pair)):
        if value is None:
            continue
        if not isinstance(value, str):
            raise TypeError(
                f"{name} is a {type(value).__name__}: expected a string. For several texts make a"
                " batch: inputs=tokenizer(texts, padding=True, return_tensors='pt'), and say which"
                " one with batch_index."
            )
        if not value.strip():
            raise ValueError(f"{name}={value!r} is empty: expected a text of at least one word.")
    if tokenizer is None:
        raise TypeError(
            "tokenizer is None, and text needs one: pass extract(model, tokenizer, text), or"
            " inputs=... in place of the text."
        )
    decoder_text = None
    two_stacks = has_two_stacks(model)
    if two_stacks:
        decoder_text, text_pair = text_pair, None
    encoding: Mapping[str, Any] = tokenizer(
        text, text_pair, return_tensors="pt", truncation=False, verbose=False
    )
    if encoding["input_ids"].numel() == 0:
        raise ValueError(f"text={text!r} gives no tokens: expected a text of at least one word.")
    if decoder_text is not None:
        labels = tokenizer(text_target=decoder_text, return_tensors="pt", truncation=False)
        return {**encoding, "decoder_input_ids": _shifted(model, labels["input_ids"])}
    if two_stacks and not writes:
        return {**encoding, "decoder_input_ids": start_tokens(model, 1)}
    return encoding


def _shifted(model: nn.Module, labels: Tensor) -> Tensor:
    """What a decoder reads to write the labels: its start token, then all but the last."""
    own = getattr(model, "prepare_decoder_input_ids_from_labels", None)
    if callable(own):
        ids: Tensor = own(labels=labels)
        return ids
    return torch.cat([start_tokens(model, labels.shape[0]), labels[:, :-1]], 1)


def start_tokens(model: nn.Module, rows: int) -> Tensor:
    """The token with which a decoder starts."""
    config: Any = model.config
    generation = getattr(model, "generation_config", None)
    for holder in (config, generation, getattr(config, "decoder", None)):
        for name in ("decoder_start_token_id", "bos_token_id"):
            number = getattr(holder, name, None)
            if isinstance(number, int):
                return torch.full((rows, 1), number)
    raise ValueError(
        f"{type(model).__name__} has no decoder_start_token_id in its config, so its decoder has"
        " nothing to read: pass decoder_input_ids in inputs=."
    )


def device_of(model: nn.Module) -> torch.device:
    """Where a model is."""
    # What accelerate has moved away stands on "meta" and says where it will be when it runs.
    hook = getattr(model, "_hf_hook", None)
    for module_hook in (hook, *getattr(hook, "hooks", ())):
        place = getattr(module_hook, "execution_device", None)
        if place is not None:
            return torch.device(place)
    devices = (p.device for p in model.parameters())
    return next((d for d in devices if d.type != "meta"), torch.device("cpu"))


def tensors(model: nn.Module, encoding: Mapping[str, Any]) -> dict[str, Any]:
    """What the model is called with, on its device."""
    device = device_of(model)
    batch = {}
    for name, value in encoding.items():
        if isinstance(value, list):
            try:
                value = torch.tensor(value)
            except (TypeError, ValueError):
                raise TypeError(
                    f"inputs[{name!r}] is a list that is no tensor: make the batch with"
                    " tokenizer(..., return_tensors='pt')."
                ) from None
            if value.ndim == 1:
                value = value[None]
        batch[name] = value.to(device) if isinstance(value, Tensor) else value
    if not any(isinstance(value, Tensor) and value.ndim for value in batch.values()):
        raise ValueError(
            "inputs holds no tensors: expected what tokenizer(text, return_tensors='pt') gives."
        )
    return batch


def accepted(model: nn.Module, batch: dict[str, Any]) -> dict[str, Any]:
    """Without what a tokenizer of another model gives and this model does not take."""
    known = inspect.signature(model.forward).parameters
    if any(p.kind is p.VAR_KEYWORD for p in known.values()):
        return batch
    return {name: value for name, value in batch.items() if name in known}


def lacks_decoder_inputs(model: nn.Module, batch: Mapping[str, Any]) -> bool:
    """Whether an encoder-decoder was given nothing for its decoder."""
    names = ("decoder_input_ids", "decoder_inputs_embeds", "labels")
    return has_two_stacks(model) and all(batch.get(name) is None for name in names)


def first_tensor(batch: Mapping[str, Any]) -> Tensor:
    """Of a batch; its first axis counts the texts."""
    return next(value for value in batch.values() if isinstance(value, Tensor) and value.ndim)


def batch_size(model: nn.Module, batch: Mapping[str, Any]) -> int:
    """How many texts there are."""
    for name in ("input_ids", "inputs_embeds", "attention_mask"):
        value = batch.get(name)
        if isinstance(value, Tensor) and value.ndim >= 2:
            return int(value.shape[0])
    first = first_tensor(batch)
    if not isinstance(model, PreTrainedModel):
        # torch's own attention counts the texts in the second axis unless told otherwise.
        own = [m for m in model.modules() if isinstance(m, nn.MultiheadAttention)]
        if own and not own[0].batch_first:
            return int(first.shape[1]) if first.ndim == 3 else 1
    return int(first.shape[0])


def batch_row(size: int, batch_index: int | None) -> int:
    """The place of the text that is wanted."""
    if batch_index is None:
        if size == 1:
            return 0
        raise ValueError(
            f"inputs holds a batch of {size} texts: pass batch_index=0 to {size - 1} to say which"
            " one to show."
        )
    if isinstance(batch_index, bool) or not isinstance(batch_index, int):
        raise TypeError(
            f"batch_index={batch_index!r} is a {type(batch_index).__name__}: expected an int."
        )
    if not -size <= batch_index < size:
        raise ValueError(
            f"batch_index={batch_index} is out of range: inputs holds {size} texts, 0 to"
            f" {size - 1}."
        )
    return batch_index % size


def check_ids(model: nn.Module, batch: Mapping[str, Any], given: bool) -> None:
    """Refuse what would fail deep inside the model: too long a text, unknown ids."""
    decoder = decoder_of(model)
    soft = getattr(getattr(model, "config", None), "max_position_embeddings", None)
    for name, stack in (("input_ids", model), ("decoder_input_ids", decoder or model)):
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
            # Rotary and relative positions have no end: the model runs, but was not trained so.
            warnings.warn(
                f"{where} has {length} tokens, more than the {soft} positions that"
                f" {type(model).__name__} was made for.",
                stacklevel=3,
            )


def _input_embeddings(model: nn.Module) -> int | None:
    try:
        table = model.get_input_embeddings()  # type: ignore[operator]
    except (AttributeError, NotImplementedError):
        return None
    return int(table.num_embeddings) if isinstance(table, nn.Embedding) else None


def _positions(model: nn.Module) -> int | None:
    """How many positions a model has an embedding for; None if they have no end."""
    names = {"position_embeddings", "position_embedding", "embed_positions", "wpe"}
    limits = []
    for parent in model.modules():
        tables = {n: m for n, m in parent.named_children() if isinstance(m, nn.Embedding)}
        if not set(tables) - names:
            continue  # the positions of an image's patches stand beside no table of tokens
        for module in (tables[name] for name in names & set(tables)):
            # RoBERTa counts from after its padding index, BART skips two.
            first = module.padding_idx + 1 if module.padding_idx is not None else 0
            limits.append(module.num_embeddings - max(first, int(getattr(module, "offset", 0))))
    return min(limits) if limits else None
