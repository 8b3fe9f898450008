"""What is interrupted: captures, and all that computes without one."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from torch import Tensor, nn

from bertviz import AttentionTrace, compare, explain_head, find_patterns, head_view
from bertviz.extractor import extract
from tests.campaigns.left import differences, repair, state
from tests.models import batch_of

TEXTS = ["the store", "i went to the store"]
GENERATE = {"max_new_tokens": 3, "do_sample": True, "pad_token_id": 0}
CAPTURES: list[tuple[str, dict[str, Any]]] = [
    ("bert", {}),
    ("llama", {"verify": True}),
    ("t5", {}),
    ("gpt2", {"generate": GENERATE}),
    ("bart", {"verify": True}),
]


class Subject:
    """A call, and the model that it may leave something in.

    Args:
        name: What it is.
        model: A model, which is put in mixed modes and given a hook.
        call: Is given the model; returns the numbers that it computed.
    """

    def __init__(self, name: str, model: nn.Module, call: Callable[[Any], Any]) -> None:
        self.name = name
        self.model = model.train()
        for number, module in enumerate(model.modules()):
            module.training = number % 3 != 0
        model.register_forward_hook(lambda *_: None)
        self.flags = [module.training for module in model.modules()]
        self._call = call
        self.note()

    def run(self) -> Any:
        """Do it; the numbers are the same each time."""
        return self._call(self.model)

    def note(self) -> None:
        """Remember how everything is."""
        self.numbers = self.run()
        self.before = state(self.model)

    def left(self) -> list[str]:
        """What is not as before; afterwards it is again."""
        found = differences(self.before, state(self.model))
        if found:
            self.repair()
        return found

    def repair(self) -> None:
        from transformers.modeling_utils import PreTrainedModel

        def sane() -> None:
            for module, flag in zip(self.model.modules(), self.flags, strict=True):
                module.training = flag
                module._forward_pre_hooks.clear()
                module._forward_hooks.clear()
            if isinstance(self.model, PreTrainedModel):
                self.model.set_attn_implementation("sdpa")
            self.model.register_forward_hook(lambda *_: None)

        repair(self.model, sane)
        self.before = state(self.model)


def subjects(build: Callable[..., Any], tokenizer: Any) -> list[Subject]:
    """Captures of several architectures, and what is computed from captures."""
    found = [
        Subject(name, build(name), partial(_captured, batch_of(name), options))
        for name, options in CAPTURES
    ]
    reader = build("bert")
    one, other = (extract(reader, tokenizer, text) for text in TEXTS)
    third = extract(reader.apply(_louder), tokenizer, TEXTS[0])
    calls: dict[str, Callable[[Any], Any]] = {
        "patterns of texts": lambda model: find_patterns(model, tokenizer, TEXTS).rows(),
        "patterns of traces": lambda _: find_patterns([one, other]).rows(),
        "comparison": lambda _: _compared(one, [other, third]),
        "neurons": lambda _: explain_head(one, layer=1, head=2).rows(),
        "view": lambda model: len(head_view(model, tokenizer, TEXTS[0], html_action="return").data),
    }
    found += [Subject(name, build("bert"), call) for name, call in calls.items()]
    for subject in found:  # making the others drew random numbers
        subject.note()
    return found


def _captured(batch: dict[str, Tensor], options: dict[str, Any], model: Any) -> list[float]:
    trace = extract(model, inputs={name: x[:1] for name, x in batch.items()}, **options)
    return [float(x.weights().square().sum()) for b in trace.blocks.values() for x in b.layers]


def _compared(same: AttentionTrace, others: list[AttentionTrace]) -> Any:
    return [compare(same, other, align="tokens").largest() for other in others]


def _louder(module: nn.Module) -> None:
    for parameter in module.parameters(recurse=False):
        parameter.data.mul_(1.1)
