"""Model + text → AttentionTrace.

The problem. A model returns its attention only with ``output_attentions=True`` and only on its
slowest kernel; and then all weights at once, without the queries and keys they come from. The model
belongs to the user: nothing about it may change, whatever happens.

The solution. Queries and keys are recorded while the model runs on whatever kernel it uses.
``interface`` sees the attention that goes through transformers' attention interface, ``operations``
all other attention, whoever wrote the model. ``inputs`` checks what the model reads, ``running``
runs a ``mirror`` of it, which leaves the model itself alone, ``capture`` records, ``blocks`` and
``sides`` sort the records into blocks and name their tokens, ``generation`` joins the records of
many steps, and ``verification`` compares them with what the model itself computed.
"""

from __future__ import annotations

import bertviz.extractor.versions  # noqa: F401, refuses what is too old

# isort: split
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, SupportsIndex

import torch
from torch import Tensor, nn

from bertviz.arguments import as_flag, as_items, as_numbers
from bertviz.errors import numbers_in_words, warn_caller
from bertviz.extractor import generation, verification
from bertviz.extractor.blocks import make_blocks
from bertviz.extractor.capture import Capture
from bertviz.extractor.checks import described, device_to_keep
from bertviz.extractor.comparison import TOLERANCE
from bertviz.extractor.inputs import Reading
from bertviz.extractor.naming import check_names_of
from bertviz.extractor.records import CPU, Keep
from bertviz.extractor.running import captured
from bertviz.extractor.sides import Sides
from bertviz.extractor.skips import reasons, told
from bertviz.extractor.surroundings import Surroundings
from bertviz.extractor.verification import NotReproduced as NotReproduced
from bertviz.progress import bar
from bertviz.trace import AttentionBlock, AttentionTrace
from bertviz.trace.settings import plainly


class NothingCaptured(RuntimeError):  # noqa: N818, the name is public
    """The model ran, but no softmax attention could be captured; the message says what was seen."""


def extract(
    model: nn.Module,
    tokenizer: Any = None,
    text: str | None = None,
    text_pair: str | None = None,
    *,
    inputs: Mapping[str, Any] | None = None,
    tokens: Sequence[str] | Mapping[str, Sequence[str]] | None = None,
    batch_index: int | None = None,
    drop_padding: bool = True,
    layers: Iterable[SupportsIndex] | None = None,
    heads: Iterable[SupportsIndex] | None = None,
    device: torch.device | str = CPU,
    generate: Mapping[str, Any] | None = None,
    verify: bool = False,
    progress: bool = True,
) -> AttentionTrace:
    """Capture queries, keys and attention of every layer and head, for one text.

    The model runs once, without gradients and in eval mode, on its own attention kernel.
    Afterwards it is exactly as before.

    >>> import torch
    >>> from transformers import BertConfig, BertModel
    >>> config = BertConfig(hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
    ...                     intermediate_size=64, vocab_size=100)
    >>> trace = extract(BertModel(config), inputs={"input_ids": torch.tensor([[2, 7, 8, 3]])})
    >>> trace.blocks["encoder"].layers[1].weights().shape  # (heads, query, key)
    torch.Size([4, 4, 4])
    >>> trace.blocks["encoder"].layers[1].name
    'encoder.layer.1.attention.self'

    Args:
        model: Any module that computes softmax attention: a Hugging Face model as
            ``from_pretrained`` gives it, ``torch.nn.Transformer``, or a class of your own.
        tokenizer: The model's tokenizer. It is needed for ``text``, and to name the tokens: without
            one, they are named by their positions.
        text: What the model reads.
        text_pair: The second sentence; for an encoder-decoder model, what its decoder reads
            (as in training). Without it the decoder reads only its start token.
        inputs: In place of a text, what the model is called with: a BatchEncoding or a dict of
            tensors. They are moved to the model's device.
        tokens: The names of the tokens that the model reads, one for each, padding included; of an
            encoder-decoder, those of its encoder, or ``{"encoder": [...], "decoder": [...]}``.
            Without a tokenizer they take the place of positions.
        batch_index: Which text of ``inputs`` to keep, where there are several.
        drop_padding: Whether to leave out the positions that ``attention_mask`` says are padding.
        layers: The layers to keep, by the model's own numbers; all by default.
        heads: The heads to keep, by the model's own numbers; all by default.
        device: Where queries and keys are kept; each layer's are moved there at once.
        generate: Let the model continue the text, with these options of ``model.generate``, such as
            ``dict(max_new_tokens=40)``. The trace covers all tokens that the model read: the prompt
            and what it generated, except for the last token.
        verify: Compare with what the model itself computes: what each attention returned, and a
            separate run on the model's eager kernel where it has one. The trace's ``exactness``
            then says by how much they differ, and views show it.
        progress: Whether to show a bar when it takes longer than a few seconds.

    Returns:
        The trace. It holds no part of the model.

    Raises:
        TypeError: An argument is of the wrong type.
        ValueError: No text, a text that is too long for the model, ids that the model has no
            embedding for, more or fewer ``tokens`` than it reads, several texts without
            ``batch_index``, layers or heads that the model does not have.
        NothingCaptured: The model computed no attention that could be captured.
        NotReproduced: With ``verify``, what was captured does not explain what was computed, or
            some of the model's attention could not be captured.

    Warns:
        UserWarning: Some of the model's attention could not be captured; ``trace.skipped`` says
            which, and why. Or a model of unknown kind has as many heads as there are texts.
    """
    writes = generate is not None
    if writes and tokens is not None:
        raise TypeError(
            "extract() got tokens and generate, but nobody can name what is not written yet: pass"
            " the tokenizer, which names all tokens."
        )
    drop_padding, verify, progress = (
        as_flag(name, value)
        for name, value in (
            ("drop_padding", drop_padding),
            ("verify", verify),
            ("progress", progress),
        )
    )

    def made() -> AttentionTrace:
        reading = Reading.of(
            model, tokenizer, text, text_pair, inputs=inputs, batch_index=batch_index, writes=writes
        )
        names = check_names_of(tokens, reading)
        keep = Keep(
            row=reading.row,
            layers=_numbers("layers", layers),
            heads=_numbers("heads", heads),
            device=device_to_keep(device),
        )
        with (
            described(reading, generate),
            bar(progress, "writing" if writes else "reading") as step,
        ):
            options: dict[str, Any] = {"check": verify, "progress": step}
            if generate is None:
                capture, reading = _forward(reading, keep, options)
            else:
                capture, reading = _generation(reading, keep, generate, options)
        if not capture.records:
            raise NothingCaptured(_nothing(model, capture))
        sides = Sides(reading, tokenizer, capture, drop_padding, names)
        blocks = make_blocks(capture, sides)
        sides.check_named()
        _check_kept(capture, blocks)
        skipped = reasons(capture.skips_wanted())
        trace = AttentionTrace(
            blocks=blocks,
            model_name=type(model).__name__,
            dtype=capture.records[0].dtype,
            skipped=skipped,
        )
        missing = reasons(skip for skip in capture.skips_wanted() if not skip.apart)
        if missing and verify:
            raise NotReproduced(f"{told(missing)} Without verify, the rest can be shown.")
        if skipped:
            warn_caller(f"{told(skipped)} trace.skipped has the reasons.")
        if capture.doubtful:
            warn_caller(
                f"The model has as many heads as inputs has texts, {capture.batch_size}, so what is"
                " shown is right only if texts come before heads in its scores, as in nearly all"
                " models. With one text there is no doubt: pass inputs of one row."
            )
        if not verify:
            return trace
        return replace(
            trace, exactness=verification.report(reading, capture, trace, sides.positions)
        )

    return Surroundings().kept(made)


def verified(
    trace: AttentionTrace, model: nn.Module, inputs: Mapping[str, Any], **options: Any
) -> AttentionTrace:
    """The trace with the report of a new comparison; implements ``AttentionTrace.verify``."""
    again = extract(model, inputs=inputs, verify=True, **options)
    for name, block in trace.blocks.items():
        other = again.blocks.get(name)
        numbers = {layer.index: layer for layer in other.layers} if other is not None else {}
        for layer in block.layers:
            same = numbers.get(layer.index)
            if same is None or same.shape != layer.shape or not set(layer.heads) <= set(same.heads):
                raise ValueError(
                    f"The trace is not of this model and these inputs: block {name!r}, layer"
                    f" {layer.index} has {layer.num_heads} heads and {layer.shape} tokens, the"
                    f" model computes {None if same is None else (same.num_heads, same.shape)}."
                )
            difference = _difference(layer.weights(), same.weights(layer.heads))
            if not difference <= TOLERANCE.get(trace.dtype, 1e-4):
                raise NotReproduced(
                    f"The trace differs from what the model computes now by {difference:.1e}, in"
                    f" block {name!r}, layer {layer.index}: the model's parameters or the"
                    " inputs have changed."
                )
    return replace(trace, exactness=again.exactness)


@plainly()
def _difference(ours: Tensor, theirs: Tensor) -> float:
    return float((ours.to(theirs.device) - theirs).abs().max())


def _forward(reading: Reading, keep: Keep, options: Mapping[str, Any]) -> tuple[Capture, Reading]:
    """One forward, and what was read in it."""
    try:
        return captured(reading, keep, **options)[0], reading
    except (AttributeError, TypeError, ValueError):
        if not reading.lacks_decoder_inputs:
            raise
        # BART makes its decoder's tokens from the text; T5 fails and is given the start token.
        reading = reading.starting_decoder()
        return captured(reading, keep, **options)[0], reading


def _generation(
    reading: Reading, keep: Keep, generate: Mapping[str, Any], shared: Mapping[str, Any]
) -> tuple[Capture, Reading]:
    """All steps as if the model had read everything in one forward."""
    model: Any = reading.model
    options = generation.check_options(model, generate)

    def write(mirror: Any, batch: Mapping[str, Any]) -> Any:
        return mirror.generate(**batch, **options)

    capture, output = captured(reading, keep, write, generating=True, **shared)
    capture.records = generation.joined(capture.records)
    name = "decoder_input_ids" if reading.two_stacks else "input_ids"
    given = reading.batch.get(name)
    start = 1 if given is None else given.shape[1]
    read = max(
        (
            record.shape[0]
            for record in capture.records
            if not reading.two_stacks or ".decoder" in f".{record.path}"
        ),
        default=0,
    )
    stops = generation.stops_of(model, options)
    ids, counts = generation.read_tokens(generation.sequences_of(output), read, start, stops)
    mask_name = name.replace("input_ids", "attention_mask")
    mask = reading.batch.get(mask_name)
    if mask is not None and mask.shape[1] <= counts.shape[1]:
        counts[:, : mask.shape[1]] *= mask
    return capture, reading.with_inputs(**{name: ids, mask_name: counts})


def _numbers(name: str, value: Iterable[SupportsIndex] | None) -> frozenset[int] | None:
    if value is None:
        return None
    expected = f"expected a list of numbers, such as {name}=[0, 1]"
    items = as_items(name, value, expected, sets=True)
    numbers = frozenset(as_numbers(name, items, "numbers"))
    if not numbers:
        raise ValueError(f"{name} is empty: name at least one, or leave {name} out for all.")
    return numbers


def _check_kept(capture: Capture, blocks: Mapping[str, AttentionBlock]) -> None:
    """Refuse layers and heads that the model does not have."""
    keep = capture.keep
    found = [layer for block in blocks.values() for layer in block.layers]
    for name, wanted, there in (
        ("layers", keep.layers, {layer.index for layer in found}),
        ("heads", keep.heads, {head for layer in found for head in layer.heads}),
    ):
        missing = sorted((wanted or set()) - there)
        if missing and name == "layers" and capture.skips_wanted():
            why = told(reasons(capture.skips_wanted()))
            raise NothingCaptured(f"layers holds {missing[0]}, which could not be captured. {why}")
        if missing:
            widest = max(record.count for record in capture.records)
            known = (
                f"heads {numbers_in_words(range(widest))}"
                if name == "heads"
                else f"{capture.depth} layers"
            )
            raise ValueError(
                f"{name} holds {missing[0]}, which the model does not have: it has {known}."
            )


def _nothing(model: nn.Module, capture: Capture) -> str:
    config = getattr(model, "config", None)
    implementation = getattr(config, "_attn_implementation", None)
    name = type(model).__name__
    calls = ", ".join(f"{count} {what}" for what, count in capture.seen.items())
    text = (
        f"{name} ran once and no attention was captured (attn_implementation={implementation!r};"
        f" seen: {calls or 'no softmax and no attention function'})."
    )
    if capture.skipped:
        return f"{text} Attention was seen but not understood. {told(reasons(capture.skipped))}"
    if capture.seen:
        cause = "its softmaxes are not over products of queries and keys"
    else:
        cause = "it has no softmax attention, like Mamba, FNet or a convolutional network"
    return f"{text} The likely cause: {cause}."
