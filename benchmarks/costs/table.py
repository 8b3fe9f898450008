"""The table of results: a column per view, a row per cost, and the limits that are required."""

from __future__ import annotations

from costs.browser import Result

ROWS = {
    "html": "HTML, MB",
    "python": "Python, s of CPU",
    "picture": "first picture, ms",
    "floor": "... / a bare canvas",
    "threads": "... on all threads, ms",
    "threads floor": "... / a bare canvas",
    "hover": "hover, ms",
    "hover a query": "hover a query, ms",
    "hover a key": "hover a key, ms",
    "come and leave": "come and leave, ms",
    "preview a head": "preview a head, ms",
    "lock": "lock, ms",
    "toggle a head": "toggle a head, ms",
    "what if": "what if, ms",
    "to the matrix and back": "matrix and back, ms",
    "open a head": "open a head, ms",
    "layer switch": "layer switch, ms",
    "memory": "browser memory, MB",
    "share": "... / a bare canvas",
    "memory after": "... after interactions, MB",
    "share after": "... / a bare canvas",
}
TOUCHED = (
    "hover",
    "hover a query",
    "hover a key",
    "come and leave",
    "preview a head",
    "lock",
    "toggle a head",
    "what if",
)
OURS = ("head", "neuron", "model")


def bound(row: str, view: str, tokens: int) -> float | None:
    """The required limit, if there is one."""
    if view not in OURS:
        return None
    if row == "html":
        sizes = {("head", 128): 1.5, ("head", 512): 10, ("neuron", 128): 8, ("neuron", 512): 30}
        return sizes.get((view, tokens))
    if row in TOUCHED and tokens >= 512:
        return 40 if tokens > 512 else 33
    bounds: dict[str, float] = {"floor": 4, "threads floor": 3} if tokens <= 512 else {}
    if tokens == 512:
        bounds |= {"layer switch": 100, "share": 1.5, "share after": 1.5}
    return bounds.get(row)


def verdict(value: float | None, most: float | None) -> str:
    if value is None or most is None:
        return ""
    return f" (<= {most:g} {'met' if value <= most else 'NOT MET'})"


def table(results: dict[str, Result], tokens: int, patience: float) -> None:
    """One column per view, and how many times our head view's number each of the others' is.

    Each number is followed by its limit, if any, and whether it is met.
    """
    others = [name for name in results if name not in OURS]
    print(
        f"  {'':24}"
        + "".join(f"{name:>24}" for name in results)
        + "".join(f"{f'{name} / head view':>26}" for name in others)
    )
    for row, label in ROWS.items():
        if all(row not in result for result in results.values()):
            continue
        cells = [
            _cell(row, result, bound(row, view, tokens), patience)
            for view, result in results.items()
        ]
        ours = results["head"].get(row)
        theirs = [results[name].get(row) for name in others]
        ratios = [f"{value / ours:.2g} x" if ours and value else "" for value in theirs]
        print(
            f"  {label:24}"
            + "".join(f"{cell:>24}" for cell in cells)
            + "".join(f"{ratio:>26}" for ratio in ratios)
        )
    print(flush=True)


def _cell(row: str, result: Result, most: float | None, patience: float) -> str:
    if row not in result:
        return ""
    value = result[row]
    if value is None:
        return f"not within {patience:.0f} s" if row == "picture" else "-"
    return (f"{value:.3g}" if value < 100 else f"{value:.0f}") + verdict(value, most)
