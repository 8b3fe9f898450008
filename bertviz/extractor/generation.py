"""A model that generates: many forwards, one trace.

The problem. `generate` reads the prompt at once and then one token at a time, with the keys so far
in a cache. The first attention is square, the later ones are single rows: over all keys so far,
over all slots of the cache (the rest masked), or over a window of the last keys. What a reader
wants to see is one matrix with a row for each token.

So of every forward only the new queries and the new keys are kept. Here they are joined, and what
each row sees becomes one mask.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from bertviz.arguments import as_index
from bertviz.errors import a_type
from bertviz.extractor.records import Record
from bertviz.trace.masks import causal_mask, is_causal, lowest
from bertviz.trace.settings import plainly

# Several hypotheses in one batch: rows change places between the steps.
SEVERAL = ("num_beams", "num_return_sequences", "num_beam_groups")
# Steps that are taken back.
GUESSING = ("assistant_model", "prompt_lookup_num_tokens", "assistant_early_exit", "penalty_alpha")


def check_options(model: nn.Module, options: object) -> dict[str, Any]:
    """Check the options `generate` is to be called with.

    Raises:
        TypeError: ``options`` is not a dict, or the model cannot generate.
        ValueError: Options under which the rows of a text cannot be followed.
    """
    if not isinstance(options, Mapping):
        raise TypeError(
            f"generate is {a_type(options)}: expected a dict of what model.generate takes,"
            " such as generate=dict(max_new_tokens=40)."
        )
    can = getattr(model, "can_generate", None)
    if not callable(getattr(model, "generate", None)) or (callable(can) and not can()):
        raise TypeError(
            f"{type(model).__name__} cannot generate: load it with its language-model head, as"
            " AutoModelForCausalLM or AutoModelForSeq2SeqLM do, or leave generate out."
        )
    defaults = options.get("generation_config") or getattr(model, "generation_config", None)
    for name in SEVERAL:
        number = options.get(name, getattr(defaults, name, None))
        if number is not None and as_index(f"generate[{name!r}]", number) > 1:
            raise ValueError(
                f"generate has {name}={number}: the hypotheses change places between the steps, so"
                f" a row would mix several texts. Pass {name}=1; to see a text that beam search"
                " found, extract it as text."
            )
    for name in GUESSING:
        if options.get(name) or getattr(defaults, name, None):
            raise ValueError(
                f"generate has {name}: tokens are guessed and taken back, so rows have no order."
                f" Leave {name} out."
            )
    if options.get("use_cache") is False:
        raise ValueError(
            "generate has use_cache=False: every step would read the whole text again. Leave it"
            " out; the weights are the same."
        )
    return dict(options)


def stops_of(model: Any, options: Mapping[str, Any]) -> set[int]:
    """The tokens that end a text, from the call or else from the model."""
    config = options.get("generation_config") or model.generation_config
    ends = options.get("eos_token_id", getattr(config, "eos_token_id", None))
    return set() if ends is None else set(ends) if isinstance(ends, list | tuple) else {ends}


def sequences_of(output: Any) -> Tensor:
    """The tokens that `generate` returned, whatever the form of its output."""
    sequences: Tensor = output if isinstance(output, Tensor) else output.sequences
    return sequences


@plainly()
def read_tokens(sequences: Tensor, read: int, start: int, stops: set[int]) -> tuple[Tensor, Tensor]:
    """The tokens that were read (the last generated one never is), and which of them count.

    Args:
        sequences: (texts, tokens).
        read: How many were read.
        start: The position of the first generated token.
        stops: Tokens that end a text; what comes after them is padding.
    """
    ids = sequences[:, :read]
    counts = torch.ones_like(ids)
    for row, text in enumerate(ids.tolist()):
        ends = [place for place in range(start, read) if text[place] in stops]
        if ends:
            counts[row, ends[0] + 1 :] = 0
    return ids, counts


@plainly()
def joined(records: Sequence[Record]) -> list[Record]:
    """The records of all steps as those of one forward."""
    groups: dict[tuple[str, bool, int], list[Record]] = {}
    for record in records:
        groups.setdefault((record.path, record.cross, record.order), []).append(record)
    last: dict[str, Tensor] = {}

    def same(name: str, tensor: Tensor | None) -> Tensor | None:
        """The previous layer's tensor, where the two are equal."""
        if tensor is None:
            return None
        held = last.get(name)
        if held is not None and held.shape == tensor.shape and torch.equal(held, tensor):
            return held
        last[name] = tensor
        return tensor

    result = []
    for steps in groups.values():
        record = steps[0]
        if len(steps) > 1:
            record = _joined(steps)
            formula = record.formula
            record.formula = replace(
                formula,
                mask=same(f"{record.cross} mask", formula.mask),
                position_bias=same(f"{record.cross} bias", formula.position_bias),
            )
        result.append(record)
    return result


def _joined(steps: Sequence[Record]) -> Record:
    """The steps of one attention as one record."""
    first, formulas = steps[0], [step.formula for step in steps]
    rows = sum(step.shape[0] for step in steps)
    width = first.shape[1] if first.cross else rows
    keys = formulas[0].keys if first.cross else torch.cat([f.keys for f in formulas], 1)
    unmasked, bias = _terms(steps, rows, width, keys.device)
    if bool((unmasked == unmasked[:1]).all()):  # a bias of each head says so for each head
        unmasked = unmasked[:1]
    causal = not first.cross and unmasked.shape[0] == 1 and is_causal(~unmasked, exactly=True)
    sinks = [f.sinks for f in formulas if f.sinks is not None]
    if any(each.ndim == 2 for each in sinks):  # a single query's may have no axis of queries
        sinks = [
            each if each.ndim == 2 else each[:, None].expand(-1, step.shape[0])
            for each, step in zip(sinks, steps, strict=True)
        ]
    known = [step.difference for step in steps if step.difference is not None]
    return replace(
        first,
        shape=(rows, width),
        formula=replace(
            formulas[0],
            queries=torch.cat([f.queries for f in formulas], 1),
            keys=keys,
            causal=causal,
            mask=None if causal or bool(unmasked.all()) else unmasked,
            position_bias=bias,
            sinks=torch.cat(sinks, 1) if sinks and sinks[0].ndim == 2 else formulas[0].sinks,
        ),
        difference=max(known) if len(known) == len(steps) else None,
    )


def _terms(
    steps: Sequence[Record], rows: int, width: int, device: torch.device
) -> tuple[Tensor, Tensor | None]:
    """What every row sees (heads or 1, rows, width), and what is added to its scores."""
    masks, biases, at = [], [], 0
    for step in steps:
        (count, keys), offset, formula = step.shape, step.offset, step.formula
        stop = min(width, offset + keys)
        columns = slice(0, stop - offset)
        mask = torch.ones(1, count, keys, dtype=torch.bool, device=device)
        if formula.causal:
            mask = mask & causal_mask(count, keys).to(device)
        bias: Tensor | None = None
        for term in (formula.mask, formula.position_bias):
            if term is None:
                continue
            if term.dtype == torch.bool:
                mask = mask & term
                continue
            low = lowest(term)
            mask = mask & ~low
            rest = term.float().masked_fill(low, 0.0)
            if rest.any():
                bias = rest if bias is None else bias + rest
        masks.append((at, offset, stop, mask[..., columns]))
        if bias is not None:
            biases.append((at, offset, stop, bias.expand(-1, count, keys)[..., columns]))
        at += count
    return (
        _placed(masks, rows, width, torch.zeros((), dtype=torch.bool, device=device)),
        _placed(biases, rows, width, torch.zeros((), dtype=torch.float32, device=device))
        if biases
        else None,
    )


def _placed(
    parts: Sequence[tuple[int, int, int, Tensor]], rows: int, width: int, empty: Tensor
) -> Tensor:
    heads = max(part.shape[0] for *_, part in parts)
    whole = empty.expand(heads, rows, width).clone()
    for at, offset, stop, part in parts:
        whole[:, at : at + part.shape[1], offset:stop] = part
    return whole
