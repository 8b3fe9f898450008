"""One number per head, whatever its origin: what the model view colors and sorts heads by.

The problem. Scores of patterns, differences of two traces and a user's own numbers all end up in
the same grid, each with its own idea of what a head without a number is. A wrong layer number or a
NaN there is a head of the wrong color, which nobody notices.

So there is one form, and this is where it is checked: a list with, for every measure,

    {"name": str, "values": {block: {layer: {head: float | None}}},
     "null": the same or None, "diverging": bool}

and optionally "labels", which has a word in place of each number.

``null`` is what a head would have by chance. None in place of a number, or a head that is left out,
means that there is no number. ``diverging`` measures have a sign: their color scale diverges at
zero.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from bertviz.arguments import as_number, offers
from bertviz.errors import a_type, numbers_in_words, short

if TYPE_CHECKING:
    from bertviz.trace import AttentionTrace

EXAMPLE = 'measures={"mine": {(0, 3): 0.5}}, with (layer, head) as keys'


def measures_of(measures: Any, trace: AttentionTrace) -> list[dict[str, Any]]:
    """Check what was passed as ``measures``, and bring it into the one form.

    Args:
        measures: An object whose ``measures()`` gives that form, such as ``find_patterns`` and
            ``compare`` return; or a mapping from names to {(layer, head): number}; or None.
        trace: The trace whose heads they describe.

    Raises:
        TypeError: A value is of the wrong type.
        ValueError: The trace does not have a block, layer or head, or a number is not finite.

    >>> from bertviz.trace import AttentionTrace
    >>> trace = AttentionTrace.from_arrays(tokens=["a", "b"], weights=[[[0.25, 0.75], [1.0, 0.0]]])
    >>> measures_of({"mine": {(0, 0): 1}}, trace)
    [{'name': 'mine', 'values': {'encoder': {0: {0: 1.0}}}, 'null': None, 'diverging': False}]
    """
    if measures is None:
        return []
    if isinstance(measures, Mapping):
        given = [_from_mapping(name, values, trace) for name, values in measures.items()]
    elif offers(measures, "measures") and callable(measures.measures):
        given = list(measures.measures())
    else:
        raise TypeError(
            f"measures is {a_type(measures)}: expected what find_patterns(trace) gives, or"
            f" {EXAMPLE}."
        )
    if not given:
        raise ValueError(f"measures is empty: expected at least one, such as {EXAMPLE}.")
    found = [_checked(measure, trace) for measure in given]
    names = [measure["name"] for measure in found]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise ValueError(f"measures has {short(twice[0])} twice: give every measure its own name.")
    return found


def _from_mapping(name: object, values: object, trace: AttentionTrace) -> dict[str, Any]:
    """A user's {(layer, head): number} in the one form."""
    if isinstance(name, tuple):
        raise TypeError(
            f"measures has {short(name)} in place of a name: give the numbers a name, {EXAMPLE}."
        )
    if not isinstance(values, Mapping):
        raise TypeError(
            f"measures[{short(name)}] is {a_type(values)}: expected a mapping, {EXAMPLE}."
        )
    if len(trace.blocks) > 1:
        raise ValueError(
            f"measures[{short(name)}] names layers and heads, but the trace has {len(trace.blocks)}"
            f" blocks ({', '.join(trace.blocks)}): pass an object whose measures() gives values by"
            " block, layer and head."
        )
    layers: dict[Any, dict[Any, Any]] = {}
    for key, value in values.items():
        if not isinstance(key, tuple) or len(key) != 2:
            raise TypeError(
                f"measures[{short(name)}] has the key {short(key)}: expected (layer, head)."
            )
        layers.setdefault(key[0], {})[key[1]] = value
    return {"name": name, "values": {next(iter(trace.blocks)): layers}}


def _checked(measure: object, trace: AttentionTrace) -> dict[str, Any]:
    """One measure, with plain ints and floats."""
    if not isinstance(measure, Mapping) or not {"name", "values"} <= set(measure):
        raise TypeError(
            f"measures() gave {a_type(measure)}: expected dicts with 'name' and 'values'."
        )
    name = measure["name"]
    if not isinstance(name, str) or not name.strip():
        raise TypeError(
            f"measures has the name {short(name)}: expected a string that is not empty."
        )
    null, labels = measure.get("null"), measure.get("labels")
    return {
        "name": name,
        "values": _per_head(name, measure["values"], trace, _number),
        "null": None if null is None else _per_head(f"null of {name}", null, trace, _number),
        "diverging": bool(measure.get("diverging", False)),
        **({} if labels is None else {"labels": _per_head(name, labels, trace, _label)}),
    }


def _per_head(
    name: str, values: Any, trace: AttentionTrace, read: Callable[[str, Any, Any, Any], Any]
) -> dict[str, dict[int, dict[int, Any]]]:
    """Values by block, layer and head, all of which the trace has."""
    found: dict[str, dict[int, dict[int, Any]]] = {}
    for block, layer, head, value in _each(name, values):
        if block not in trace.blocks:
            raise ValueError(
                f"measures[{short(name)}] names the block {short(block)}: the trace has"
                f" {', '.join(trace.blocks)}."
            )
        known = {row.index: row for row in trace.blocks[block].layers}
        if layer not in known:
            raise ValueError(
                f"measures[{short(name)}] names layer {short(layer)}: block {block!r} has layers"
                f" {numbers_in_words(known)}."
            )
        if head not in known[layer].heads:
            raise ValueError(
                f"measures[{short(name)}] names head {short(head)}: layer {layer} has heads"
                f" {numbers_in_words(known[layer].heads)}."
            )
        own = read(name, layer, head, value)
        found.setdefault(block, {}).setdefault(int(layer), {})[int(head)] = own
    return found


def _each(name: str, values: Any) -> Iterator[tuple[Any, Any, Any, Any]]:
    try:
        for block, layers in values.items():
            for layer, heads in layers.items():
                for head, value in heads.items():
                    yield block, layer, head, value
    except AttributeError:
        raise TypeError(
            f"measures[{short(name)}] has values in another form: expected"
            f" {{block: {{layer: {{head:"
            " number}}}."
        ) from None


def _label(name: str, layer: int, head: int, value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise TypeError(
        f"measures[{short(name)}] has the label {short(value)} for layer {layer}, head {head},"
        f" {a_type(value)}: expected a string, or None."
    )


def _number(name: str, layer: int, head: int, value: Any) -> float | None:
    if value is None:
        return None
    where = f"measures[{short(name)}] has {short(value)} for layer {layer}, head {head}"
    try:
        return as_number("measures", value)
    except TypeError:
        raise TypeError(f"{where}, {a_type(value)}: expected a number, or None.") from None
    except ValueError:
        raise ValueError(
            f"{where}: expected a finite number; pass None where there is none."
        ) from None
