"""What the model reads: a text or a batch, checked before anything runs."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from bertviz.arguments import as_index, offers
from bertviz.errors import a_type, short
from bertviz.extractor.checks import (
    check_batch,
    check_ids,
    check_model,
    check_names,
    check_numbers,
    check_text,
    check_tokenizer,
)
from bertviz.listed import refuse_endless
from bertviz.trace.settings import plainly


@dataclass(frozen=True, eq=False)
class Reading:
    """What a model is about to read, with what later steps ask about both.

    Attributes:
        model: The user's model.
        encoding: What the tokenizer gave, or the user's own inputs.
        batch: What the model is called with, on its device.
        size: How many texts the batch holds.
        row: The row of the batch to show.
        two_stacks: Whether the model is an encoder-decoder.
        decoder: The decoder of an encoder-decoder, if it says which module that is.
        device: The model's device.
    """

    model: nn.Module
    encoding: Mapping[str, Any]
    batch: dict[str, Any]
    size: int
    row: int
    two_stacks: bool
    decoder: nn.Module | None
    device: torch.device

    @classmethod
    @plainly()
    def of(
        cls,
        model: nn.Module,
        tokenizer: Any = None,
        text: str | None = None,
        text_pair: str | None = None,
        *,
        inputs: Mapping[str, Any] | None = None,
        batch_index: int | None = None,
        writes: bool = False,
    ) -> Reading:
        """Check a text or a batch and bring it to the model's device.

        Args:
            model: The model.
            tokenizer: Its tokenizer, for a text.
            text: What the model reads.
            text_pair: The second sentence, or what a decoder reads.
            inputs: A batch, in place of a text.
            batch_index: Which text of the batch.
            writes: Whether the model will generate, and so starts a decoder's text itself.

        Raises:
            TypeError: An argument is of the wrong type.
            ValueError: No text, several without ``batch_index``, or one the model cannot read.
        """
        check_model(model)
        check_numbers(model)
        check_tokenizer(tokenizer)
        if inputs is None:
            encoding = encode(model, tokenizer, text, text_pair, writes=writes)
        elif text is not None or text_pair is not None:
            raise TypeError("extract() got text and inputs: pass one of them.")
        elif not isinstance(inputs, Mapping):
            raise TypeError(
                f"inputs is {a_type(inputs)}: expected a BatchEncoding or a dict of tensors, such"
                " as tokenizer(text, return_tensors='pt') gives. A text goes into text=."
            )
        else:
            check_names(model, inputs)
            encoding = inputs
        device = device_of(model)
        batch = tensors(encoding, device)
        check_batch(model, batch)
        if inputs is None:
            batch = accepted(model, batch)
            if not batch:
                raise TypeError(
                    f"model is {a_type(model)}, whose forward takes none of what the tokenizer"
                    f" gives ({', '.join(map(str, encoding))}): pass what it takes as inputs=..."
                )
        size = batch_size(model, batch)
        two_stacks = has_two_stacks(model)
        reading = cls(
            model=model,
            encoding=encoding,
            batch=batch,
            size=size,
            row=batch_row(size, batch_index),
            two_stacks=two_stacks,
            decoder=_decoder_of(model) if two_stacks else None,
            device=device,
        )
        check_ids(reading, given=inputs is not None)
        return reading

    @property
    def lacks_decoder_inputs(self) -> bool:
        """Whether an encoder-decoder was given nothing for its decoder."""
        names = ("decoder_input_ids", "decoder_inputs_embeds", "labels")
        return self.two_stacks and all(self.batch.get(name) is None for name in names)

    def with_inputs(self, **inputs: Any) -> Reading:
        """A copy with more inputs in its batch."""
        return replace(self, batch={**self.batch, **inputs})

    def starting_decoder(self) -> Reading:
        """A copy whose decoder reads only its start token."""
        start = start_tokens(self.model, self.size).to(self.device)
        return self.with_inputs(decoder_input_ids=start)


def has_two_stacks(model: nn.Module) -> bool:
    """Whether a model is an encoder-decoder; its encoder alone has the same configuration."""
    if not getattr(getattr(model, "config", None), "is_encoder_decoder", False):
        return False
    known = inspect.signature(model.forward).parameters
    return "decoder_input_ids" in known or not isinstance(model, PreTrainedModel)


def _decoder_of(model: nn.Module) -> nn.Module | None:
    get_decoder = getattr(model, "get_decoder", None)
    decoder = get_decoder() if callable(get_decoder) else None
    return decoder if isinstance(decoder, nn.Module) else None


def encode(
    model: nn.Module,
    tokenizer: PreTrainedTokenizerBase | None,
    text: object,
    text_pair: object,
    *,
    writes: bool = False,
) -> Mapping[str, Any]:
    """Tokenize a whole text or pair; a model that generates starts its second text itself."""
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
                f"{name} is {a_type(value)}: expected a string. For several texts make a"
                " batch: inputs=tokenizer(texts, padding=True, return_tensors='pt'), and say which"
                " one with batch_index."
            )
        check_text(name, value)
    if tokenizer is None:
        raise TypeError(
            "tokenizer is None, and text needs one: pass extract(model, tokenizer, text), or"
            " inputs=... in place of the text."
        )
    decoder_text = None
    two_stacks = has_two_stacks(model)
    if two_stacks:
        decoder_text, text_pair = text_pair, None
    encoding: Any = tokenizer(text, text_pair, return_tensors="pt", truncation=False, verbose=False)
    if encoding["input_ids"].numel() == 0:
        raise ValueError(
            f"text={short(text)} gives no tokens: expected a text of at least one word."
        )
    if decoder_text is not None:
        labels = tokenizer(text_target=decoder_text, return_tensors="pt", truncation=False)
        encoding["decoder_input_ids"] = _shifted(model, labels["input_ids"])
    elif two_stacks and not writes:
        encoding["decoder_input_ids"] = start_tokens(model, 1)
    known: Mapping[str, Any] = encoding
    return known


def _shifted(model: nn.Module, labels: Tensor) -> Tensor:
    """What a decoder reads to predict the labels: its start token, then all but the last."""
    own = getattr(model, "prepare_decoder_input_ids_from_labels", None)
    if callable(own):
        ids: Tensor = own(labels=labels)
        return ids
    return torch.cat([start_tokens(model, labels.shape[0]), labels[:, :-1]], 1)


def start_tokens(model: nn.Module, rows: int) -> Tensor:
    """(rows, 1): the token a decoder starts with."""
    config: Any = model.config
    generation = getattr(model, "generation_config", None)
    for holder in (config, generation, getattr(config, "decoder", None)):
        for name in ("decoder_start_token_id", "bos_token_id"):
            number = getattr(holder, name, None)
            if isinstance(number, int):
                return torch.full((rows, 1), number, dtype=torch.int64, device="cpu")
    raise ValueError(
        f"{type(model).__name__} has no decoder_start_token_id in its config, so its decoder has"
        " nothing to read: pass decoder_input_ids in inputs=."
    )


def device_of(model: nn.Module) -> torch.device:
    """The device a model is on."""
    # Parameters that accelerate offloads are on "meta"; its hook says where they run.
    hook = getattr(model, "_hf_hook", None)
    for module_hook in (hook, *getattr(hook, "hooks", ())):
        place = getattr(module_hook, "execution_device", None)
        if place is not None:
            return torch.device(place)
    devices = (p.device for p in model.parameters())
    return next((d for d in devices if d.type != "meta"), torch.device("cpu"))


def tensors(encoding: Mapping[str, Any], device: torch.device) -> dict[str, Any]:
    """What the model is called with, on its device."""
    batch = {}
    for name, value in encoding.items():
        if isinstance(value, list) or (
            offers(value, "__array__") and not isinstance(value, Tensor)
        ):
            refuse_endless(f"inputs[{name!r}]", value)
            try:
                value = torch.tensor(value, device="cpu")
            except Exception:
                raise TypeError(
                    f"inputs[{name!r}] is {a_type(value)} that cannot be made a tensor: make the"
                    " batch with"
                    " tokenizer(..., return_tensors='pt')."
                ) from None
            if value.ndim == 1:
                value = value[None]
        batch[name] = _moved(name, value, device) if isinstance(value, Tensor) else value
    if not any(isinstance(value, Tensor) and value.ndim for value in batch.values()):
        raise ValueError(
            "inputs holds no tensors: expected what tokenizer(text, return_tensors='pt') gives."
        )
    return batch


def _moved(name: str, value: Tensor, device: torch.device) -> Tensor:
    """A tensor on the model's device."""
    try:
        moved = None if value.is_meta else value.to(device)
    except Exception as error:
        if type(value) is Tensor:
            raise
        raise ValueError(  # a subclass may refuse anything
            f"inputs[{name!r}] is {a_type(value)} that cannot be moved to {device}: {short(error)}."
        ) from None
    if moved is None:
        raise ValueError(
            f"inputs[{name!r}] is on the meta device, where tensors have a shape and no numbers:"
            " make the batch on the CPU, for example with torch.device('cpu')."
        )
    return moved


def accepted(model: nn.Module, batch: dict[str, Any]) -> dict[str, Any]:
    """Only what the model's forward takes; a tokenizer may give more."""
    known = inspect.signature(model.forward).parameters
    if any(p.kind is p.VAR_KEYWORD for p in known.values()):
        return batch
    return {name: value for name, value in batch.items() if name in known}


def batch_row(size: int, batch_index: int | None) -> int:
    """The row of the batch to show."""
    if batch_index is None:
        if size == 1:
            return 0
        if size == 0:
            raise ValueError("inputs holds no texts: expected a batch of at least one.")
        raise ValueError(
            f"inputs holds a batch of {size} texts: pass batch_index=0 to {size - 1} to say which"
            " one to show."
        )
    batch_index = as_index("batch_index", batch_index)
    if not -size <= batch_index < size:
        raise ValueError(
            f"batch_index={batch_index} is out of range: inputs holds {size} texts, 0 to"
            f" {size - 1}."
        )
    return batch_index % size


def batch_size(model: nn.Module, batch: Mapping[str, Any]) -> int:
    """How many texts a batch holds."""
    for name in ("input_ids", "inputs_embeds", "attention_mask"):
        value = batch.get(name)
        if isinstance(value, Tensor) and value.ndim >= 2:
            return int(value.shape[0])
    first = next((x for x in batch.values() if isinstance(x, Tensor) and x.ndim), None)
    if first is None:
        return 0
    if not isinstance(model, PreTrainedModel):
        # torch's own attention counts the texts in the second axis by default.
        own = [m for m in model.modules() if isinstance(m, nn.MultiheadAttention)]
        if own and not own[0].batch_first:
            return int(first.shape[1]) if first.ndim == 3 else 1
    return int(first.shape[0])
