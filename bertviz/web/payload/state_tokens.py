"""Which tokens a state leaves, and whether those it selects are among them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bertviz.web.payload.schema import ViewName

Block = Mapping[str, Any]
State = Mapping[str, Any]

# The sentences of queries and keys; None means any.
PAIRS: Mapping[str, tuple[int | None, int | None]] = {
    "All": (None, None),
    "A→A": (0, 0),
    "B→B": (1, 1),
    "A→B": (0, 1),
    "B→A": (1, 0),
}


def pairs_of(block: Block) -> list[str]:
    """The filters that a block offers: "All" alone unless both sides know their sentences."""
    query, key = (_tokens(block, side)["sentences"] for side in ("query", "key"))
    if not query or not key:
        return ["All"]
    return [
        pair
        for pair, (a, b) in PAIRS.items()
        if (a is None or a in query) and (b is None or b in key)
    ]


def check_positions(view: ViewName, block: Block, state: State) -> None:
    """Check ``query``, ``key``, ``also`` and ``locked``.

    Raises:
        ValueError: A position is not shown, or nothing is selected where something has to be.
    """
    query, key = state.get("query"), state.get("key")
    for side in ("query", "key"):
        if state.get(side) is not None:
            check_position(side, state[side], side, block, state)
    open_columns = view == "neuron" and state.get("detail", True)
    if open_columns and "query" in state and query is None:
        raise ValueError(
            "query=None does not go with open columns, which belong to a query: pass detail=False"
            " too."
        )
    if state.get("also"):
        if query is None and key is None:
            raise ValueError(
                f"also={state['also']} needs query= or key=: these are tokens selected beside it."
            )
        beside = "key" if query is None else "query"
        for position in state["also"]:
            check_position("also", position, beside, block, state)
            if position == state[beside]:
                raise ValueError(f"also holds {position}, which is selected as {beside}= already.")
    if state.get("locked") and query is None and key is None and not open_columns:
        raise ValueError("locked=True needs query= or key=: nothing is selected.")


def check_position(name: str, position: int, side: str, block: Block, state: State) -> None:
    """Check that a token is there and that no filter leaves it out.

    Args:
        name: The argument's name.
        position: Its value, or one of its values.
        side: "query" or "key".
        block: The block of the payload.
        state: The state, whose ``pair``, ``words`` and ``hide`` are filters.

    Raises:
        ValueError: It is out of range or left out.
    """
    tokens = _tokens(block, side)
    count = len(tokens["text"])
    subject = f"also holds {position}, which" if name == "also" else f"{name}={position}"
    if not 0 <= position < count:
        there = f"{count} {side} tokens, 0 to {count - 1}" if count > 1 else f"one {side} token, 0"
        raise ValueError(f"{subject} is out of range: the text has {there}.")
    left = left_by(tokens, side, {"pair": state.get("pair", "All")})
    if position not in left:
        raise ValueError(f"{subject} is left out by pair={state['pair']!r}.")
    if state.get("words"):
        first = _first_of_word(tokens, position)
        if first != position:
            raise ValueError(
                f"{subject} is not the first token of its word: with words=True a word is selected"
                f" by its first token, {first}."
            )
    if position not in left_by(tokens, side, state):
        raise ValueError(f"{subject} is left out by hide={state['hide']!r}.")


def check_zoom(block: Block, state: State) -> None:
    """Check ``zoom``, and that what is selected is in the window.

    Raises:
        ValueError: It is not a window of the block's tokens, or leaves out what is selected.
    """
    zoom = state["zoom"]
    if zoom is None:
        return
    for side, start, stop in (("query", *zoom[:2]), ("key", *zoom[2:])):
        count = len(_tokens(block, side)["text"])
        if not 0 <= start < stop <= count:
            raise ValueError(
                f"zoom={zoom} is not a window: its {side} tokens {start} to {stop} are not a range"
                f" within 0 to {count} (the first, and the one after the last)."
            )
        position = state.get(side)
        if position is not None and not start <= position < stop:
            raise ValueError(
                f"{side}={position} is outside zoom={zoom}, which shows {side} tokens {start} to"
                f" {stop - 1}."
            )


def left_by(tokens: Mapping[str, Any], side: str, state: State) -> list[int]:
    """The positions of one side that the filters leave.

    Args:
        tokens: One side of a block of the payload.
        side: "query" or "key".
        state: ``pair``, ``words`` and ``hide`` are read.
    """
    wanted = PAIRS[state.get("pair", "All")][side == "key"]
    sentences = tokens["sentences"]
    hidden = _hidden(tokens, state.get("hide", "nothing"))
    every = [
        i
        for i in range(len(tokens["text"]))
        if (wanted is None or not sentences or sentences[i] == wanted)
        and (not state.get("words") or _first_of_word(tokens, i) == i)
    ]
    left = [i for i in every if i not in hidden]
    # In a text of special tokens alone, hiding them would leave nothing.
    return left or every


def _hidden(tokens: Mapping[str, Any], hide: str) -> set[int]:
    special = set(tokens["special"]) if hide in ("special", "both") else set()
    return special | {0} if hide in ("first", "both") else special


def _tokens(block: Block, side: str) -> Mapping[str, Any]:
    tokens: Mapping[str, Any] = (
        block["query"] if side == "query" else block["key"] or block["query"]
    )
    return tokens


def _first_of_word(tokens: Mapping[str, Any], position: int) -> int:
    words = tokens["words"]
    while words and position and words["of"][position] == words["of"][position - 1]:
        position -= 1
    return position
