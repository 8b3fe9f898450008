"""Every form in which BertViz took an argument means the same as the plain one.

Random calls of the head view and the model view, each made twice: with plain lists and numbers, and
with each argument in another form that BertViz accepted. What is shipped to the page must be equal.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

from bertviz import head_view, model_view

LETTERS = "ACGTMKLIWY"
RANDOM = np.random.Generator
Plain = dict[str, Any]


def choice(random: RANDOM, *options: Any) -> Any:
    return options[int(random.integers(len(options)))]


def numbers(random: RANDOM, count: int) -> list[int]:
    """Some numbers below a count, at least one."""
    return sorted(random.permutation(count)[: int(random.integers(1, count + 1))].tolist())


def layers(random: RANDOM, count: int, heads: int, queries: int, keys: int) -> list[torch.Tensor]:
    scores = torch.from_numpy(random.normal(size=(count, 1, heads, queries, keys)) * 2)
    return list(scores.float().softmax(-1))


def plain_call(random: RANDOM) -> tuple[Callable[..., Any], Plain]:
    """A view function and its arguments: tensors, lists, strings, ints."""
    call = choice(random, head_view, model_view)
    depth, heads, queries, keys = (int(random.integers(1, n)) for n in (4, 5, 8, 8))
    letters = [choice(random, *LETTERS) for _ in range(queries)]
    arguments: Plain
    if random.random() < 0.7:
        arguments = {"attention": layers(random, depth, heads, queries, queries), "tokens": letters}
        if queries > 1 and random.random() < 0.5:
            arguments["sentence_b_start"] = int(random.integers(1, queries))
    else:
        arguments = {
            "encoder_attention": layers(random, depth, heads, keys, keys),
            "cross_attention": layers(random, depth, heads, queries, keys),
            "encoder_tokens": [choice(random, *LETTERS) for _ in range(keys)],
            "decoder_tokens": letters,
        }
    options: Plain = {
        "include_layers": numbers(random, depth),
        "prettify_tokens": bool(random.integers(2)),
    }
    if call is head_view:
        options["layer"] = choice(random, *options["include_layers"])
        options["heads"] = numbers(random, heads)
    else:
        options["include_heads"] = numbers(random, heads)
        options["display_mode"] = choice(random, "light", "dark", "auto")
    for name in options:
        if random.random() < 0.6:
            arguments[name] = options[name]
    return call, arguments


def as_attention(value: list[torch.Tensor], random: RANDOM) -> Any:
    return choice(
        random,
        tuple(value),
        torch.stack(value),
        torch.stack(value).numpy(),
        [layer.clone().requires_grad_() for layer in value],
        [layer.numpy() for layer in value],
        [layer[0] for layer in value],
        torch.stack(value).tolist(),
    )


def as_tokens(value: list[str], random: RANDOM) -> Any:
    return choice(random, tuple(value), np.array(value), "".join(value))


def as_numbers(value: list[int], count: int, random: RANDOM, *, included: bool) -> Any:
    forms = [tuple(value), np.array(value), torch.tensor(value), [np.int64(n) for n in value]]
    forms += [set(value), [*value, value[0]]]
    if len(value) == 1:
        forms.append(value[0])
    if value == list(range(count)):
        forms += [range(count), [], (), None]
    if included:
        forms.append([n - count for n in value])
    return choice(random, *forms)


def as_bertviz_took_it(arguments: Plain, random: RANDOM) -> Plain:
    """The same arguments, each in another form."""
    first = next(value for name, value in arguments.items() if name.endswith("attention"))
    depth, heads = len(first), first[0].shape[1]
    changed: Plain = {}
    for name, value in arguments.items():
        if name.endswith("attention"):
            changed[name] = as_attention(value, random)
        elif name.endswith("tokens") and name != "prettify_tokens":
            changed[name] = as_tokens(value, random)
        elif name == "include_layers":
            changed[name] = as_numbers(value, depth, random, included=True)
        elif name in ("include_heads", "heads"):
            changed[name] = as_numbers(value, heads, random, included=name == "include_heads")
        elif name == "prettify_tokens":
            changed[name] = choice(random, int(value), np.bool_(value), value or None)
        elif name == "display_mode":
            changed[name] = None if value == "auto" else value
        elif name == "sentence_b_start":
            end = value - len(arguments["tokens"])
            changed[name] = choice(random, np.int64(value), torch.tensor(value), end)
        else:
            changed[name] = choice(random, np.int64(value), torch.tensor(value))
    return changed


def what_differs(call: Callable[..., Any], plain: Plain, other: Plain) -> str | None:
    """What is wrong with the other form, or None."""
    expected = call(**plain, html_action="return")._payload
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            found = call(**other, html_action="return")._payload
        except Exception as error:
            return f"{type(error).__name__}: {error}"
    return None if same(found, expected) else "another picture"


def same(found: Mapping[str, Any], expected: Mapping[str, Any]) -> bool:
    """Whether two payloads are equal; all heads chosen are no choice of heads.

    Nested lists hold Python's numbers, so the type that is named with the model may differ.
    """

    def chosen(payload: Mapping[str, Any]) -> dict[str, Any]:
        state = dict(payload["state"])
        heads = max(len(layer["heads"]) for b in payload["blocks"] for layer in b["layers"])
        if len(state.get("heads") or []) in (0, heads):
            state.pop("heads", None)
        state.pop("block", None)
        if payload["state"].get("layer") == payload["blocks"][0]["layers"][0]["index"]:
            state.pop("layer", None)
        return {**payload, "state": state, "model": None}

    return chosen(found) == chosen(expected)


def test_other_forms_mean_the_same(
    rounds: Callable[[int, int], int], random: RANDOM, seed: int
) -> None:
    wrong: list[str] = []
    total = rounds(150, 5000)
    for number in range(total):
        call, plain = plain_call(random)
        other = as_bertviz_took_it(plain, random)
        if problem := what_differs(call, plain, other):
            shown = {name: value for name, value in other.items() if "attention" not in name}
            wrong.append(f"seed {seed}, call {number}: {call.__name__}({shown}): {problem}")
    print(f"{total - len(wrong)} of {total} calls in other forms gave the same picture")
    assert wrong == []
