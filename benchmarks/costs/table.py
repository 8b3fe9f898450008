"""The table of results: a column per view, a row per cost, and the limits that are required."""

from __future__ import annotations

from costs.browser import Result

ROWS = {
    "html": "HTML, MB",
    "python": "Python, s of CPU",
    "picture": "first picture, ms",
    "floor": "... / a bare canvas",
    "hover a query": "hover a query, ms",
    "hover a key": "hover a key, ms",
    "come and leave": "come and leave, ms",
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
TOUCHED = ("hover a query", "hover a key", "come and leave", "lock", "toggle a head", "what if")


def bound(row: str, view: str, tokens: int) -> float | None:
    """The required limit, if there is one."""
    if view == "bertviz":
        return None
    if row == "html":
        sizes = {("head", 128): 1.5, ("head", 512): 10, ("neuron", 128): 8, ("neuron", 512): 30}
        return sizes.get((view, tokens))
    if row in TOUCHED and tokens >= 512:
        return 40 if tokens > 512 else 33
    bounds: dict[str, float] = {"floor": 4} if tokens <= 512 else {}
    if tokens == 512:
        bounds |= {"layer switch": 100, "share": 1.5, "share after": 1.5}
    return bounds.get(row)


def verdict(value: float | None, most: float | None) -> str:
    if value is None or most is None:
        return ""
    return f" (<= {most:g} {'met' if value <= most else 'NOT MET'})"


def table(results: dict[str, Result], tokens: int, patience: float) -> None:
    """One column per view; each number is followed by its limit, if any, and whether it is met."""
    print(
        f"  {'':24}" + "".join(f"{name:>24}" for name in results) + f"{'BertViz / head view':>22}"
    )
    for row, label in ROWS.items():
        if all(row not in result for result in results.values()):
            continue
        cells = []
        for view, result in results.items():
            value, most = result.get(row), bound(row, view, tokens)
            if row in result and value is None:
                cells.append("never" if row == "picture" else "-")
                continue
            text = "" if value is None else f"{value:.3g}" if value < 100 else f"{value:.0f}"
            text += verdict(value, most)
            cells.append(text)
        ours, theirs = results["head"].get(row), results.get("bertviz", {}).get(row)
        ratio = f"{theirs / ours:.1f} x" if ours and theirs else ""
        print(f"  {label:24}" + "".join(f"{cell:>24}" for cell in cells) + f"{ratio:>22}")
    if results.get("bertviz", {"picture": 0.0}).get("picture") is None:
        print(f"  never: BertViz was given up after {patience:.0f} s")
    print(flush=True)
