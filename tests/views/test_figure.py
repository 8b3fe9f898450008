"""Several views as one figure: what they share is said once, and each shows its own state."""

from __future__ import annotations

import io
import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bertviz import AttentionTrace, Figure, HeadView, ModelView, NeuronView, figure

SVG = "{http://www.w3.org/2000/svg}"
TOKENS = ["[CLS]", "the", "straw", "##berry", "[SEP]"]
QUERIES, KEYS = np.random.default_rng(1).normal(size=(2, 2, 3, 5, 8))
TRACE = AttentionTrace.from_arrays(TOKENS, queries=QUERIES, keys=KEYS)
VIEW = HeadView(TRACE)


def texts(made: Figure, **changed: Any) -> list[str]:
    return [e.text or "" for e in ET.fromstring(made.svg(**changed)).iter(f"{SVG}text")]


def places(made: Figure, **changed: Any) -> list[tuple[float, float]]:
    """Where the panels stand."""
    found = []
    for group in ET.fromstring(made.svg(**changed)).findall(f"{SVG}g"):
        x, y = group.get("transform", "")[len("translate(") : -1].split()
        found.append((float(x), float(y)))
    return found


def test_what_panels_share_is_said_once() -> None:
    made = figure([(VIEW, {"query": 1}), (VIEW, {"query": 2})], ["(a)", "(b)"])
    said = texts(made)
    for text in ("weight", "Heads", "not checked against the model", "(a)", "(b)"):
        assert said.count(text) == 1, text
    assert said.count("query") == 2
    assert "Layer 0" not in said


def test_what_differs_is_said_of_each() -> None:
    one, other = HeadView(TRACE, layer=1, heads=[0]), (VIEW, {"mode": "matrix", "heads": [1]})
    said = texts(figure([one, other], [None, "mine"]))
    assert said.count("Heads") == 2
    assert ["Layer 1" in said, "Layer 0" in said, "mine" in said] == [True, False, True]
    legends = [text for text in said if "weight" in text]
    assert len(legends) == 2


def test_each_panel_shows_its_own_state() -> None:
    made = figure([(VIEW, {"query": query, "heads": [0]}) for query in (1, 3)])
    weights = TRACE.blocks["encoder"].layers[0].weights()[0]
    panels = ET.fromstring(made.svg()).findall(f"{SVG}g")
    for panel, query in zip(panels, (1, 3), strict=True):
        lines = [p for p in panel.iter(f"{SVG}path") if p.get("d", "").count("L") == 1]
        shown = sorted(float(line.get("stroke-opacity", 1)) for line in lines)
        np.testing.assert_allclose(shown, sorted(weights[query].tolist()), atol=0.002)
    assert "query" not in VIEW._payload["state"], "the view is as it was"


def test_panels_stand_side_by_side_where_they_fit() -> None:
    made = figure([VIEW, VIEW])
    (x0, y0), (x1, y1) = places(made, width="6.75in", font_size=8)
    assert (x0, y0) == (0, y1)
    assert x1 > 300
    (x0, y0), (x1, y1) = places(made, width="3.25in", font_size=8)
    assert (x0, x1) == (0, 0)
    assert y1 > y0 + 5 * 24
    four = figure([(VIEW, {"mode": "matrix"})] * 4, columns=2)
    xs, ys = zip(*places(four, width=800), strict=True)
    assert (xs[0], xs[1]) == (xs[2], xs[3])
    assert xs[0] < xs[1]
    assert ys[0] == ys[1] < ys[2] == ys[3]


def test_a_figure_is_as_wide_and_its_text_as_large_as_asked_for(tmp_path: Path) -> None:
    made = figure([VIEW, (VIEW, {"mode": "matrix"})], width="3.25in", font_size=8)
    made.save(tmp_path / "own.svg")
    made.save(tmp_path / "other.svg", width=700, font_size=6)
    for name, width, size in (("own", 312, 8), ("other", 700, 6)):
        root = ET.parse(tmp_path / f"{name}.svg").getroot()
        assert float(root.get("width", 0)) == width
        scale = width / float(root.get("viewBox", "").split()[2])
        assert scale * 13.5 * 72 / 96 == pytest.approx(size, rel=1e-3)
    with pytest.raises(ValueError, match=r"too narrow for this figure at font_size=8: it needs"):
        figure([VIEW, VIEW], columns=2).svg(width="3.25in", font_size=8)
    with pytest.raises(ValueError, match="too narrow"):
        made.svg(width=150)


def test_ids_of_panels_differ() -> None:
    svg = figure([VIEW, ModelView(TRACE), NeuronView(TRACE)]).svg()
    ids = [e.get("id") for e in ET.fromstring(svg).iter() if e.get("id")]
    assert len(ids) == len(set(ids)) > 1


def test_a_notebook_shows_it_as_svg() -> None:
    from IPython.core.formatters import DisplayFormatter

    made = figure([VIEW])
    data, _ = DisplayFormatter().format(made)  # type: ignore[no-untyped-call]
    assert set(data) == {"text/plain", "image/svg+xml"}
    assert data["image/svg+xml"] == made.svg()
    assert data["text/plain"] == "Figure(1 panel)"


def test_one_panel_is_the_view() -> None:
    said = texts(figure([(VIEW, {"query": 1})], width=500))
    own = [e.text or "" for e in ET.fromstring(VIEW.svg(width=500, query=1)).iter(f"{SVG}text")]
    assert sorted(said) == sorted(own)
    assert {"mine", "all"} <= set(texts(figure([VIEW], ["mine"], title="all")))


def test_formats(tmp_path: Path) -> None:
    made = figure([VIEW])
    memory = io.BytesIO()
    made.save(memory, format="png")
    made.save(tmp_path / "x.pdf")
    assert memory.getvalue().startswith(b"\x89PNG")
    assert (tmp_path / "x.pdf").read_bytes().startswith(b"%PDF")
    with pytest.raises(ValueError, match=r"expected one of \.svg, \.png, \.pdf"):
        made.save(tmp_path / "x.html")


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        ({"views": []}, ValueError, "views=.* is empty: expected a list of views"),
        ({"views": VIEW}, TypeError, "views=.* is a HeadView: expected a list of views"),
        ({"views": [VIEW, TRACE]}, TypeError, "views holds .* an AttentionTrace: expected"),
        ({"views": [(VIEW, [1])]}, TypeError, "views holds the state .* a list: expected"),
        ({"views": [(VIEW, {"query": 9})]}, ValueError, "query=9 is out of range"),
        ({"views": [(VIEW, {"color": 9})]}, TypeError, "color is not part of what a head view"),
        ({"views": [(VIEW, {3: 9})]}, TypeError, "3 is not part of what a head view"),
        ({"titles": ["a"]}, ValueError, "titles holds 1 items: expected a list of 2 strings"),
        ({"titles": "ab"}, TypeError, "titles='ab' is a str: expected a list of 2 strings"),
        ({"titles": ["a", 3]}, TypeError, "titles holds 3, an int: expected a list of 2"),
        ({"columns": 3}, ValueError, "columns=3 is out of range: expected 1 to 2"),
        ({"columns": "2"}, TypeError, "columns='2' is a str: expected an integer"),
        ({"font_size": "8pt"}, TypeError, "font_size='8pt' is a str"),
        ({"title": 3}, TypeError, "title=3 is an int"),
    ],
)
def test_wrong_arguments_are_named(arguments: Any, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        figure(**{"views": [VIEW, VIEW], **arguments})


def test_state_in_a_list_is_a_pair_too() -> None:
    state = json.loads('[{"query": 1}]')[0]
    assert figure([[VIEW, state]]).svg() == figure([(VIEW, state)]).svg()  # type: ignore[list-item]
