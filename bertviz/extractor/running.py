"""One forward pass of a borrowed model.

The problem. The model belongs to the user. Whatever happens during a capture, an exception or an
interrupt included, the model must be as it was before, and other threads that run or train it
meanwhile must not notice.

So what runs is a `Mirror` of the model, in eval mode and with the hooks of the capture;
`Surroundings` keeps thread and process as they are, and `Drawing` the random numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from bertviz.extractor import interface
from bertviz.extractor.capture import Capture, current
from bertviz.extractor.drawing import Drawing
from bertviz.extractor.inputs import Reading
from bertviz.extractor.mirror import Mirror
from bertviz.extractor.operations import Operations
from bertviz.extractor.records import Keep
from bertviz.extractor.surroundings import Surroundings, enter
from bertviz.extractor.unseen import ELSEWHERE, SCRIPTED, is_scripted_attention
from bertviz.trace.settings import plainly


def captured(
    reading: Reading,
    keep: Keep,
    call: Callable[[Any, Mapping[str, Any]], Any] | None = None,
    prepare: Callable[[Any], Any] | None = None,
    **options: Any,
) -> tuple[Capture, Any]:
    """Run a mirror of a model with a capture on.

    Args:
        reading: The user's model and what it reads.
        keep: What is kept of it.
        call: What to call with the mirror and the batch; by default the forward.
        prepare: Is given the mirror before.
        **options: Of the capture.

    Returns:
        The capture, and what the model returned.
    """
    interface.install()
    drawing, begun = Drawing(), list[Capture]()

    def run() -> tuple[Mirror, Any]:
        mirror = Mirror(reading.model)
        if prepare is not None:
            prepare(mirror.model)
        own = replace(reading, model=mirror.model, decoder=mirror.of(reading.decoder))
        capture = Capture(own, keep, **options)
        begun.append(capture)
        _add_hooks(capture, mirror)
        batch = mirror.of(reading.batch)  # a forward may write to its inputs too, or fill a cache
        current.set(capture)
        enter(drawing, Operations(capture))
        output = call(mirror.model, batch) if call is not None else mirror.model(**batch)
        capture.closed = True
        capture.settle()
        return mirror, output

    def close() -> None:
        for capture in begun:
            capture.closed = True

    mirror, output = Surroundings(close).kept(run)
    if prepare is None:
        mirror.warn()
        drawing.warn()
    return begun[0], output


def evaluated(model: nn.Module, batch: Mapping[str, Any]) -> Any:
    """What a model returns in eval mode without gradients; the model itself does not run."""

    def run() -> Any:
        mirror = Mirror(model)
        inputs = mirror.of(batch)
        enter(Drawing())
        return mirror.model(**inputs)

    return Surroundings().kept(run)


def _add_hooks(capture: Capture, mirror: Mirror) -> None:
    """Hooks that keep track of which modules of the mirror run and what they are given."""

    def before(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if current.get() is not capture:
            if current.get() is None and not capture.closed:
                capture.unseen.note(capture.path() or capture.path(module), ELSEWHERE)
            return
        capture.enter(module, args, kwargs)
        if module is capture.decoder:
            ids = kwargs.get("input_ids", args[0] if args else None)
            if isinstance(ids, Tensor) and not ids.is_floating_point():
                capture.decoder_ids = ids
        if isinstance(module, nn.Embedding) and args and _same(args[0], capture.input_ids):
            capture.readers.append(capture.names[module])

    def after(module: nn.Module, *_: Any) -> None:
        if current.get() is not capture:
            return
        capture.leave(module)

    for module in capture.names:
        if is_scripted_attention(module):
            capture.unseen.note(capture.names[module], SCRIPTED)
        elif mirror.is_copy(module):
            module.register_forward_pre_hook(before, with_kwargs=True)
            module.register_forward_hook(after)


@plainly()
def _same(one: Any, other: Any) -> bool:
    return isinstance(one, Tensor) and isinstance(other, Tensor) and torch.equal(one, other)
