"""What a trace's file says of itself in JSON, and the trace that is made of it.

The problem. JSON has no types: a file that was changed holds a text where a number was, a name too
few or too many. So a table says what each field of a trace is, and nothing becomes a trace that the
table does not know. Whether shapes and numbers fit each other is asked in ``soundness``.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar, get_args

from bertviz.errors import a_type, short
from bertviz.trace.attention_trace import AttentionTrace
from bertviz.trace.block import AttentionBlock, Kind
from bertviz.trace.formula import Formula
from bertviz.trace.kinds import TraceKind
from bertviz.trace.layer import LayerAttention
from bertviz.trace.tokens import Tokens

if TYPE_CHECKING:
    from torch import Tensor

T = TypeVar("T")
Reader = Callable[[str, Any], T]  # of where a value stands, and the value

LARGEST = 2**31  # numbers of layers, heads, words; the page and NumPy count them


def written(trace: AttentionTrace) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """A trace as JSON, and its tensors by the names it has for them; shared ones once."""
    tensors: dict[str, Tensor] = {}
    names: dict[int, str] = {}

    def plain(where: str, value: Any) -> Any:
        if hasattr(value, "detach"):
            if id(value) not in names:
                # A block may have any name, a tensor's has to be UTF-8.
                name = where.encode("utf-8", "backslashreplace").decode()
                while name in tensors:
                    name += "'"
                names[id(value)] = name
                tensors[name] = value.detach().cpu().contiguous().clone()
            return {"tensor": names[id(value)]}
        if isinstance(value, Formula):
            return _fields(value, lambda name, held: plain(f"{where}.{name}", held))
        if isinstance(value, LayerAttention):
            return _fields(
                value,
                lambda name, held: plain(where if name == "formula" else f"{where}.{name}", held),
            )
        if isinstance(value, AttentionBlock):
            return _fields(value, lambda name, held: plain(value.name, held))
        if isinstance(value, Tokens):
            return _fields(value, plain)
        if isinstance(value, tuple) and value and isinstance(value[0], LayerAttention):
            return [plain(f"{where}.{place}", layer) for place, layer in enumerate(value)]
        return value

    blocks = [plain(block.name, block) for block in trace.blocks.values()]
    return {**_fields(trace, plain), "blocks": blocks}, tensors


def _fields(value: Any, plain: Callable[[str, Any], Any]) -> dict[str, Any]:
    """The fields of a dataclass by name."""
    return {
        field.name: plain(field.name, getattr(value, field.name))
        for field in dataclasses.fields(value)
        if field.name != "blocks"
    }


def restored(about: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> AttentionTrace:
    """The trace that ``written`` gave, from JSON.

    Raises:
        ValueError: It is not one; the message says which value is not what it should be.
    """
    used = set()

    def tensor(where: str, value: Any) -> Tensor:
        name = value.get("tensor") if isinstance(value, dict) and len(value) == 1 else None
        if not isinstance(name, str):
            raise _not(where, value, "the name of a tensor")
        if name not in tensors:
            raise ValueError(f"{where} is tensor {short(name)}, which the file does not hold")
        used.add(name)
        return tensors[name]

    # One line per field: what may stand there.
    tokens = _record(
        Tokens,
        strings=_many(_text),
        text=_many(_text),
        sentences=_optional(_many(_count)),
        words=_many(_count),
        special=_many(_flag),
        named=_flag,
    )
    formula = _record(
        Formula,
        queries=tensor,
        keys=tensor,
        scaling=_number,
        softcap=_optional(_number),
        sinks=_optional(tensor),
        mask=_optional(tensor),
        position_bias=_optional(tensor),
        causal=_flag,
        key_heads=_optional(_many(_count)),
        rotary=_flag,
    )
    layer = _record(
        LayerAttention,
        index=_count,
        name=_text,
        heads=_many(_count),
        formula=_optional(formula),
        given_weights=_optional(tensor),
        given_causal=_flag,
    )
    block = _record(
        AttentionBlock,
        name=_text,
        kind=_one_of(get_args(Kind)),
        query=tokens,
        key=tokens,
        layers=_many(layer),
    )
    trace = _record(
        AttentionTrace,
        blocks=_by_name(block),
        model_name=_optional(_text),
        dtype=_text,
        exactness=_optional(_report),
        kind=_one_of(get_args(TraceKind)),
        skipped=_texts_by_name,
    )("", about)
    unused = sorted(set(tensors) - used)
    if unused:
        raise ValueError(f"it holds tensor {short(unused[0])}, which the trace does not use")
    return trace


def _record(cls: Callable[..., T], **readers: Reader[Any]) -> Reader[T]:
    """An object with these fields, no more and no less."""

    def read(where: str, value: Any) -> T:
        if not isinstance(value, Mapping):
            raise _not(where, value, "an object")
        prefix = f"{where}." if where else ""
        for name in readers:
            if name not in value:
                raise ValueError(f"{prefix}{name} is missing")
        for name in value:
            if name not in readers:
                raise ValueError(f"{where or 'it'} has {short(name)}, which is unknown")
        given = {name: reader(prefix + name, value[name]) for name, reader in readers.items()}
        try:
            return cls(**given)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{where or 'it'}: {str(error).removesuffix('.')}") from None

    return read


def _many(item: Reader[T]) -> Reader[tuple[T, ...]]:
    def read(where: str, value: Any) -> tuple[T, ...]:
        if not isinstance(value, list | tuple):
            raise _not(where, value, "a list")
        return tuple(item(f"{where}[{place}]", each) for place, each in enumerate(value))

    return read


def _by_name(item: Reader[AttentionBlock]) -> Reader[dict[str, AttentionBlock]]:
    def read(where: str, value: Any) -> dict[str, AttentionBlock]:
        blocks = _many(item)(where, value)
        found = {block.name: block for block in blocks}
        if len(found) < len(blocks):
            raise ValueError(f"{where} has two blocks of one name")
        return found

    return read


def _texts_by_name(where: str, value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise _not(where, value, "an object")
    return {str(name): _text(f"{where}.{name}", text) for name, text in value.items()}


def _optional(item: Reader[T]) -> Reader[T | None]:
    return lambda where, value: None if value is None else item(where, value)


def _text(where: str, value: Any) -> str:
    if not isinstance(value, str):
        raise _not(where, value, "a text")
    return str(value)


def _flag(where: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _not(where, value, "true or false")
    return value


def _count(where: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < LARGEST:
        raise _not(where, value, "an integer from 0")
    return value


def _number(where: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _not(where, value, "a number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise _not(where, value, "a finite number")
    return number


def _one_of(known: tuple[str, ...]) -> Reader[Any]:
    def read(where: str, value: Any) -> Any:
        if not isinstance(value, str) or value not in known:
            raise _not(where, value, f"one of {', '.join(known)}")
        return value

    return read


def _report(where: str, value: Any) -> Any:
    """What a verification found; kept as it is once the page can show it."""
    read: Reader[Any] = _record(
        dict,
        max_difference=_number,
        dtype=_text,
        layers=lambda where, value: _record(
            dict, **dict.fromkeys(value if isinstance(value, Mapping) else (), _many(_number))
        )(where, value),
        terms=_many(_text),
        compared_with=_text,
        note=_optional(_text),
    )
    read(where, value)
    return dict(value)


def _not(where: str, value: Any, expected: str) -> ValueError:
    return ValueError(f"{where or 'it'} is {short(value)}, {a_type(value)}: expected {expected}")
