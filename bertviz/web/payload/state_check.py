"""Refuses a state that the page would change, and says what can be shown.

The problem. A value may be wrong by itself (``query=99``), or only beside others: whole words in a
text without subword tokens, a token that a filter leaves out, rows that are renormalized without a
filter. The page knows all of that (``nextState`` in ``js/state.js``) and repairs it. The same
rules stand here once more, because an error has to name Python's values and come before a file is
written; a test runs both on many states and compares them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from bertviz.arguments import as_choice, as_flag, as_index, as_items, as_number, as_numbers
from bertviz.errors import a_type, numbers_in_words, short
from bertviz.web.payload.schema import ViewName
from bertviz.web.payload.state import DENSE, PAGE_MEASURES, STATE
from bertviz.web.payload.state_tokens import check_positions, check_zoom, pairs_of

State = dict[str, Any]


class Shown(NamedTuple):
    """What a state is checked against."""

    view: ViewName
    payload: Mapping[str, Any]
    block: Mapping[str, Any]
    layer: Mapping[str, Any]


def check_state(
    view: ViewName, payload: Mapping[str, Any], state: Mapping[str, Any]
) -> dict[str, Any]:
    """Check that a view can show a state.

    Args:
        view: Which view is to show it.
        payload: What ``build`` returned; what it holds decides which values there are.
        state: Keys of ``STATE[view]``, all that are set.

    Returns:
        The state as JSON types; heads and neurons in the model's order, nothing twice.

    Raises:
        TypeError: A key is unknown, or a value is of the wrong type.
        ValueError: The view cannot show a value, alone or beside the others.

    >>> from bertviz import AttentionTrace
    >>> from bertviz.web import payload
    >>> trace = AttentionTrace.from_arrays(["a", "b"], weights=[[[0.25, 0.75], [1.0, 0.0]]])
    >>> check_state("head", payload.build(trace, "head"), {"query": 9})
    Traceback (most recent call last):
        ...
    ValueError: query=9 is out of range: the text has 2 query tokens, 0 to 1.
    """
    checked = {key: _typed(view, key, value) for key, value in state.items()}
    block = _block(view, payload, checked)
    shown = Shown(view, payload, block, _layer(view, payload, block, checked))
    _check_heads(shown, checked)
    _check_filters(shown, checked)
    _check_combinations(shown, checked)
    check_positions(view, block, checked)
    if "zoom" in checked:
        check_zoom(block, checked)
    if view == "model":
        _check_measure(shown, checked)
    if view == "neuron":
        _check_neurons(shown, checked)
    return checked


def _typed(view: ViewName, key: str, value: object) -> Any:
    """A value as a JSON type; refused if it is of the wrong type or not among those listed."""
    if key not in STATE[view]:
        raise TypeError(
            f"{key} is not part of what a {view} view shows: expected some of"
            f" {', '.join(STATE[view])}."
        )
    values = STATE[view][key]
    if values is not None:
        return _listed(key, value, values)
    if key in ("block", "measure"):
        if value is None and key == "measure":
            return None
        if isinstance(value, str):
            return str.__str__(value)
        raise TypeError(f"{key}={short(value)} is {a_type(value)}: expected a name.")
    if key in ("mass", "temperature"):
        return _number(key, value)
    if key in ("heads", "also", "off"):
        return _integers(key, value)
    if key in ("zoom", "cell"):
        return None if value is None else _integers(key, value, repeats=True)
    return None if value is None and key in ("query", "key") else as_index(key, value)


def _listed(key: str, value: object, values: Sequence[Any]) -> Any:
    return as_flag(key, value) if values == (False, True) else as_choice(key, value, values)


def _number(key: str, value: object) -> float:
    if key == "mass":
        expected = "expected a number above 0 and up to 1, the part of each row that lines show"
    else:
        expected = "expected a number from 0.1 to 10, by which scores are divided"
    number = as_number(key, value, expected)
    if not (0 < number <= 1 if key == "mass" else 0.1 <= number <= 10):
        raise ValueError(f"{key}={short(value)} is out of range: {expected}.")
    return number


def _integers(key: str, value: object, repeats: bool = False) -> list[int]:
    length = {"zoom": 4, "cell": 2}.get(key)
    example = str(list(range(length or 1)))
    expected = f"expected a list of integers, such as {key}={example}"
    items = as_items(key, value, expected, sets=length is None)
    found = as_numbers(key, items, "integers", example)
    if length is not None and len(found) != length:
        raise ValueError(
            f"{key}={short(found)} has {len(found)} numbers, not {length}: {expected}."
        )
    return found if repeats else list(dict.fromkeys(found))


def _block(view: ViewName, payload: Mapping[str, Any], state: State) -> Mapping[str, Any]:
    blocks = {block["name"]: block for block in payload["blocks"]}
    name = state.get("block", payload["blocks"][0]["name"])
    if name not in blocks:
        raise ValueError(
            f"block={short(name)} is not in this {view} view: expected"
            f" {' or '.join(map(repr, blocks))}."
        )
    found: Mapping[str, Any] = blocks[name]
    return found


def _layer(
    view: ViewName, payload: Mapping[str, Any], block: Mapping[str, Any], state: State
) -> Mapping[str, Any]:
    """The layer that is asked for, opened, or else shown first."""
    layers: dict[int, Mapping[str, Any]] = {layer["index"]: layer for layer in block["layers"]}
    cell = state.get("cell")
    for key, number in (("layer", state.get("layer")), ("cell", cell and cell[0])):
        if number is not None and number not in layers:
            subject = f"layer={number}" if key == "layer" else f"cell={cell}: layer {number}"
            raise ValueError(
                f"{subject} is not in this {view} view: {block['name']!r} has"
                f" {_some('layer', layers)}."
            )
    if cell is not None:
        if state.get("layer", cell[0]) != cell[0]:
            raise ValueError(
                f"layer={state['layer']} does not go with cell={cell}, which opens layer"
                f" {cell[0]}: leave layer out."
            )
        if cell[1] not in layers[cell[0]]["heads"]:
            raise ValueError(
                f"cell={cell}: head {cell[1]} is not in this {view} view: layer {cell[0]} has"
                f" {_some('head', layers[cell[0]]['heads'])}."
            )
        return layers[cell[0]]
    first = payload["blocks"][0]["layers"][0]["index"]
    return layers[state.get("layer", first if first in layers else next(iter(layers)))]


def _check_heads(shown: Shown, state: State) -> None:
    if "heads" not in state:
        return
    wanted, known = state["heads"], shown.layer["heads"]
    layer = shown.layer["index"]
    if not wanted:
        raise ValueError(f"heads=[] is empty: layer {layer} has {_some('head', known)}.")
    unknown = [head for head in wanted if head not in known]
    if unknown:
        raise ValueError(
            f"heads holds {unknown[0]}, which is not in this {shown.view} view: layer {layer} has"
            f" {_some('head', known)}."
        )
    if shown.view == "neuron" and len(wanted) > 1:
        raise ValueError(
            f"heads={wanted} holds {len(wanted)} heads, and a neuron view shows one: pass"
            f" heads=[{wanted[0]}]."
        )
    state["heads"] = [head for head in known if head in wanted]


def _check_filters(shown: Shown, state: State) -> None:
    pair = state.get("pair", "All")
    offered = pairs_of(shown.block)
    if pair not in offered:
        reason = (
            f"{shown.block['name']!r} does not have two sentences on each side"
            if offered == ["All"]
            else f"expected {', '.join(map(repr, offered))}"
        )
        raise ValueError(f"pair={pair!r} is not in this {shown.view} view: {reason}.")


def _check_combinations(shown: Shown, state: State) -> None:
    """Check values that require or exclude others."""
    why = _not_added_up(shown.payload)
    if state.get("words"):
        sides = (shown.block["query"], shown.block["key"] or shown.block["query"])
        if why is not None:
            raise ValueError(f"words=True does not go with {why} within a word.")
        if not any(side["words"] for side in sides):
            raise ValueError(
                "words=True has nothing to join: every word of this text is one token."
            )
    if why is not None and state.get("combine", "each") != "each":
        raise ValueError(f"combine={state['combine']!r} does not go with {why} between heads.")
    if state.get("renormalize"):
        if shown.payload["kind"] != "attention":
            raise ValueError(
                f"renormalize=True does not go with {shown.payload['kind']} values: their rows do"
                " not sum to one."
            )
        if why is not None:
            raise ValueError(
                "renormalize=True does not go with a comparison: rows of differences do not sum"
                " to one."
            )
        if state.get("pair", "All") == "All" and state.get("hide", "nothing") == "nothing":
            raise ValueError(
                "renormalize=True needs a filter, since whole rows sum to one already: pass"
                " hide='special', hide='first', hide='both' or a pair."
            )


def _not_added_up(payload: Mapping[str, Any]) -> str | None:
    """What is shown, where it is not added up, as it would be within words or between heads."""
    if payload["difference"]:
        return "a comparison: differences of opposite sign would cancel out"
    if payload["kind"] == "attention":
        return None
    return f"{payload['kind']} values, whose sums are to be passed: the page does not add them up"


def _check_measure(shown: Shown, state: State) -> None:
    known = [measure["name"] for measure in shown.payload["measures"]]
    first = known[0] if known else None
    if not shown.payload["difference"] and shown.payload["kind"] == "attention":
        first = first or ("entropy" if _is_dense(shown.payload["blocks"][0]) else "first")
        known += [name for name in PAGE_MEASURES if name not in known]
    measure = state.get("measure", first)
    if measure is not None and measure not in known:
        expected = f"expected {', '.join(map(repr, known))}" if known else "it has none"
        raise ValueError(f"measure={short(measure)} is not in this model view: {expected}.")
    if state.get("sorted") and measure is None:
        example = f": pass measure={known[0]!r}" if known else ", and there is none"
        raise ValueError(f"sorted=True needs a measure to sort by{example}.")


def _is_dense(block: Mapping[str, Any]) -> bool:
    heads = {head for layer in block["layers"] for head in layer["heads"]}
    return len(block["layers"]) * len(heads) > DENSE


def _check_neurons(shown: Shown, state: State) -> None:
    count = shown.layer["neurons"]["queries"]["shape"][2]
    off = sorted(state.get("off", []))
    for neuron in off:
        if not 0 <= neuron < count:
            raise ValueError(
                f"off holds {neuron}, which is out of range: a head has {count} neurons, 0 to"
                f" {count - 1}."
            )
    if off:
        if len(off) == count:
            raise ValueError(f"off holds all {count} neurons: at least one has to stay on.")
        state["off"] = off
    if state.get("sort") == "explanation":
        explanation = shown.payload["explanation"]
        if explanation is None:
            raise ValueError(
                "sort='explanation' needs an explanation: make the view of what explain_head"
                " returns."
            )
        here = (shown.block["name"], shown.layer["index"])
        head = state.get("heads", shown.layer["heads"])[0]
        explained = tuple(explanation[name] for name in ("block", "layer", "head"))
        if (*here, head) != explained:
            raise ValueError(
                f"sort='explanation' is of head {explained[2]} of layer {explained[1]} in"
                f" {explained[0]!r}, and this is head {head} of layer {here[1]} in {here[0]!r}."
            )


def _some(what: str, known: Any) -> str:
    """Numbers with their noun.

    >>> _some("layer", [3]), _some("head", [0, 1, 2])
    ('layer 3', 'heads 0 to 2')
    """
    count = len(known)
    return f"{what}{'' if count == 1 else 's'} {numbers_in_words(known)}"
