"""Figures: what they show is what was captured, and the same each time."""

from __future__ import annotations

import re
import struct
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bertviz import HeadView, NeuronView
from bertviz.trace import AttentionTrace
from bertviz.views.view import View
from bertviz.web import figures
from tests.helpers import a_head_view, a_model_view

SVG = "{http://www.w3.org/2000/svg}"
TOKENS = ["[CLS]", "the", "straw", "##berry", "[SEP]"]


def weights(heads: int = 2, tokens: int = 5, seed: int = 0) -> Any:
    scores = 2 * np.random.default_rng(seed).normal(size=(1, heads, tokens, tokens))
    exps = np.exp(scores)
    return exps / exps.sum(-1, keepdims=True)


def drawn(view: View, **state: Any) -> ET.Element:
    payload = {**view._payload, "state": {**view._payload["state"], **state}}
    return ET.fromstring(figures.svg(payload))


def texts(root: ET.Element) -> list[str]:
    return [element.text or "" for element in root.iter(f"{SVG}text")]


def lines(root: ET.Element) -> list[tuple[float, float, float]]:
    """(from, to, opacity) of every straight line, in heights."""
    found = []
    for path in root.iter(f"{SVG}path"):
        match = re.fullmatch(r"M\S+ (\S+)L\S+ (\S+)", path.get("d", ""))
        if match:
            opacity = float(path.get("stroke-opacity", 1))
            found.append((float(match[1]), float(match[2]), opacity))
    return found


def test_the_opacity_of_a_line_is_the_weight() -> None:
    true = weights(1)
    found = lines(drawn(a_head_view(true, TOKENS)))
    row = [(round((a - 12) / 24), round((b - 12) / 24), w) for a, b, w in found]
    seen = np.zeros((5, 5))
    for query, key, opacity in row:
        seen[query, key] = opacity
    np.testing.assert_allclose(seen, true[0, 0], atol=0.002)


def test_what_is_selected_is_drawn_and_nothing_else() -> None:
    root = drawn(a_head_view(weights(), TOKENS), query=2, heads=[1])
    found = lines(root)
    assert len(found) == 5
    np.testing.assert_allclose(
        sorted(opacity for *_, opacity in found), sorted(weights()[0, 1, 2]), atol=0.002
    )
    assert {"Layer 0", "Heads", "1", "query", "key", "weight"} <= set(texts(root))
    assert "0" not in texts(root)[:6]


def test_the_model_view_has_all_heads_and_the_open_one_in_large() -> None:
    true = np.concatenate([weights(3, seed=seed) for seed in (1, 2)])
    root = drawn(a_model_view(true, TOKENS), cell=[1, 2], query=3)
    large = [opacity for a, b, opacity in lines(root) if a == 3.5 * 24]
    seen = true[1, 2, 3][true[1, 2, 3] > 0.002]  # fainter ones change no pixel
    np.testing.assert_allclose(sorted(large), sorted(seen), atol=0.002)
    # Thumbnails: a cell and its lines, each weight that can be seen.
    squares = [r for r in root.iter(f"{SVG}rect") if r.get("fill") == "#f4f5f6"]
    assert len(squares) == 6
    small = [opacity for *_, opacity in lines(root)]
    assert len(small) == len(large) + (true >= 2 / 255).sum()
    assert {"heads", "layers", "0", "1", "2", "Layer 1, head 2"} <= set(texts(root))


def test_a_large_model_view_is_images() -> None:
    root = drawn(
        a_model_view(np.tile(weights(12, 24), (12, 1, 1, 1)), [f"t{i}" for i in range(24)])
    )
    assert len(list(root.iter(f"{SVG}image"))) == 144
    assert lines(root) == []


def test_cells_are_coloured_by_a_measure() -> None:
    true = np.concatenate([weights(3, seed=seed) for seed in (1, 2)])
    root = drawn(a_model_view(true, TOKENS), measure="entropy", sorted=True)
    entropy = -(true * np.log2(true)).sum(-1).mean(-1)
    order = np.argsort(-entropy.ravel())
    names = [t for t in texts(root) if re.fullmatch(r"\d·\d", t)]
    assert names == [f"{i // 3}·{i % 3}" for i in order]
    assert f"{entropy.max():.2f}" in texts(root)


def test_text_is_text() -> None:
    hostile = ["<b>&", '"', "]]>", "\x00\ud800", "你好"]
    shown = texts(drawn(a_head_view(weights(), hostile, prettify_tokens=False)))
    assert {"<b>&", '"', "]]>", "\ufffd\ufffd", "你好"} <= set(shown)


def test_words_without_special_tokens() -> None:
    trace = AttentionTrace.from_arrays(TOKENS, weights())
    shown = texts(drawn(HeadView(trace), words=True, hide="special"))
    assert shown.count("strawberry") == 2
    assert "[CLS]" not in shown
    assert "without special tokens · words" in shown


def test_a_matrix_has_a_cell_for_every_weight() -> None:
    true = weights(1)
    root = drawn(a_head_view(true, TOKENS), mode="matrix")
    group = next(g for g in root.iter(f"{SVG}g") if len(list(g.iter(f"{SVG}rect"))) == 25)
    cells = [float(r.get("fill-opacity", 1)) for r in group.iter(f"{SVG}rect")]
    np.testing.assert_allclose(np.array(cells) * true.max(), true.ravel(), atol=0.002)


def test_many_lines_are_one_image_under_the_text() -> None:
    root = drawn(a_head_view(weights(12, 64), [f"t{i}" for i in range(64)]))
    assert lines(root) == []
    (image,) = root.iter(f"{SVG}image")
    assert image.get("href", "").startswith("data:image/png;base64,")
    order = [element.tag for element in root.iter()]
    assert order.index(f"{SVG}image") < max(i for i, tag in enumerate(order) if tag == f"{SVG}text")
    assert texts(root).count("t63") == 2


def test_the_neuron_view_adds_up() -> None:
    rng = np.random.default_rng(1)
    queries, keys = rng.normal(size=(2, 1, 1, 5, 4))
    trace = AttentionTrace.from_arrays(TOKENS, queries=queries, keys=keys)
    shown = texts(drawn(NeuronView(trace), query=3))
    layer = trace.blocks["encoder"].layers[0]
    for score in layer.scores()[0, 3].tolist():
        text = "0.0" if abs(score) < 0.05 else f"{score:+.1f}".replace("-", "−")
        assert text in shown
    for weight in layer.weights()[0, 3].tolist():
        assert f"{weight:.2f}" in shown


@pytest.mark.parametrize("mode", ["lines", "matrix"])
def test_the_same_view_gives_the_same_file(mode: str) -> None:
    made = [a_head_view(weights(12, 70), [f"t{i}" for i in range(70)]) for _ in range(2)]
    first, second = (
        figures.svg({**view._payload, "state": {**view._payload["state"], "mode": mode}})
        for view in made
    )
    assert first == second


def test_png_and_pdf(tmp_path: Path) -> None:
    view = a_head_view(weights(), TOKENS)
    view.save(tmp_path / "x.svg")
    view.save(tmp_path / "x.png")
    view.save(tmp_path / "x.PDF", query=1)
    svg = ET.parse(tmp_path / "x.svg").getroot()
    png = (tmp_path / "x.png").read_bytes()
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", png[16:24]) == tuple(
        2 * int(svg.get(side, "0")) for side in ("width", "height")
    )
    assert (tmp_path / "x.PDF").read_bytes().startswith(b"%PDF-")


def test_a_dark_figure_has_a_dark_ground() -> None:
    root = drawn(a_head_view(weights(), TOKENS, display_mode="dark"))
    assert next(root.iter(f"{SVG}rect")).get("fill") == "#0f1419"


def test_the_page_refuses_what_it_would_change() -> None:
    with pytest.raises(ValueError, match="query=99 cannot be shown: it would be null"):
        drawn(a_head_view(weights(), TOKENS), query=99)


def test_without_the_extra_the_error_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    view = a_head_view(weights(), TOKENS)
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    with pytest.raises(ModuleNotFoundError, match=r"vl-convert-python.*\[figures\]"):
        view.save(tmp_path / "x.png")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ModuleNotFoundError, match=r"no Node .*\[figures\].* or save as \.html"):
        view.save(tmp_path / "x.svg")


def test_from_a_terminal(tmp_path: Path) -> None:
    target = tmp_path / "x.svg"
    command = [sys.executable, "-m", "bertviz", "demo", "A cat.", "-o", str(target)]
    subprocess.run(command, check=True, capture_output=True)
    assert "cat" in texts(ET.parse(target).getroot())
