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

import bertviz
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
    assert {"Heads", "1", "query", "key", "weight"} <= set(texts(root))
    assert texts(root)[0].startswith("Layer 0, head 1: “")
    assert "0" not in texts(root)[:6]


def folded_rows(root: ET.Element) -> list[int]:
    """How many tokens each folded row of the column of keys stands for."""
    counts = [re.fullmatch(r"… ([\d,]+) tokens", text) for text in texts(root)]
    found = [int(match[1].replace(",", "")) for match in counts if match]
    assert found[: len(found) // 2] == found[len(found) // 2 :]  # both columns have the same
    return found[: len(found) // 2]


@pytest.mark.parametrize("view", [a_head_view, a_model_view])
def test_a_figure_of_a_selected_token_folds_the_rows_without_weight(view: Any) -> None:
    true = np.full((1, 1, 300, 300), 0.15 / 298)
    true[..., 0] = 0.55
    true[..., 150] = 0.3
    true[..., 10:210:2] += 0.007  # listed, and too small to be seen
    true /= true.sum(-1, keepdims=True)
    tokens = [f"t{i}" for i in range(300)]
    cell = {"cell": [0, 0]} if view is a_model_view else {}
    root = drawn(view(true, tokens), query=200, **cell)
    kept = {text for text in texts(root) if re.fullmatch(r"t\d+", text)}
    assert {"t0", "t150", "t198", "t199", "t200", "t201", "t202"} <= kept
    assert len(kept) + sum(folded_rows(root)) == 300
    assert len(kept) < 30
    held = true[0, 0, 200, [i for i in range(300) if f"t{i}" not in kept]]
    said = re.search(r"folded tokens hold (\S+) in all", " ".join(texts(root)))
    assert said
    assert abs(float(said[1]) - held[held > 0.003].sum()) < 0.01
    found = sorted((opacity for *_, opacity in lines(root) if opacity > 0.1), reverse=True)
    np.testing.assert_allclose(found[:2], true[0, 0, 200, [0, 150]], atol=0.002)
    assert not folded_rows(drawn(view(true, tokens), **cell))  # nothing is selected


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
    assert {"heads", "layers", "0", "1", "2"} <= set(texts(root))
    assert any(text.startswith("Layer 1, head 2: “") for text in texts(root))


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
    assert f"bar: entropy (bits), 0.00 to {entropy.max():.2f}" in texts(root)
    # The bars: a track for each, and on it the part that the number is of the largest.
    bars = [g for g in root.iter(f"{SVG}g") if g.get("fill") == "#0969da"]
    accent = [float(rect.get("width", 0)) for g in bars for rect in g]
    np.testing.assert_allclose(
        np.array(accent) / max(accent), entropy.ravel()[order] / entropy.max(), atol=0.01
    )


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


def test_heads_that_are_separate_have_a_matrix_each() -> None:
    true = weights(3, tokens=4)
    root = drawn(a_head_view(true, TOKENS[:4]), mode="matrix", query=1, key=2)
    cells = [
        (float(rect.get("fill-opacity", 1)), group.get("fill"))
        for group in root.iter(f"{SVG}g")
        if group.get("fill")
        for rect in group.iter(f"{SVG}rect")
    ]
    colors = list(dict.fromkeys(color for _, color in cells))
    assert len(colors) == 3, "each head's own color"
    for head, color in enumerate(colors):
        found = sorted(opacity for opacity, own in cells if own == color)
        alphas = np.sqrt(true[0, head] / true.max()).ravel()
        np.testing.assert_allclose(found, sorted(alphas)[-len(found) :], atol=0.02)
        assert len(found) >= (alphas > 0.02).sum()
    assert texts(root).count("0") >= 2  # in the header and above its matrix


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


def points(root: ET.Element, text: str) -> float:
    """How large a text is on paper, where 96 pixels are an inch."""
    found = next(e for e in root.iter(f"{SVG}text") if e.text == text)
    units = float(root.get("viewBox", "").split()[2])
    return float(found.get("font-size", 0)) * float(root.get("width", 0)) / units * 72 / 96


def made(cls: str, **look: Any) -> ET.Element:
    queries, keys = np.random.default_rng(1).normal(size=(2, 2, 3, 5, 8))
    trace = AttentionTrace.from_arrays(TOKENS, queries=queries, keys=keys)
    return ET.fromstring(getattr(bertviz, cls)(trace).svg(**look))


@pytest.mark.parametrize("size", [6, 8, 12.5])
def test_text_is_as_large_as_it_is_told(size: float) -> None:
    for cls, width in (("HeadView", "6.75in"), ("NeuronView", "12in"), ("HeadView", None)):
        root = made(cls, width=width, font_size=size, query=1)
        assert points(root, "straw") == pytest.approx(size, rel=1e-3)
        if width:
            assert float(root.get("width", 0)) == 96 * float(width[:-2])
    small, large = (made("HeadView", width="3.25in", font_size=size, query=1) for size in (6, 8))
    heights = [float(root.get("height", 0)) for root in (small, large)]
    assert heights[0] < heights[1], "rows follow"


@pytest.mark.parametrize("cls", ["HeadView", "ModelView", "NeuronView"])
@pytest.mark.parametrize("width", [100, 200, 312, 1500])
def test_any_width_is_kept_and_nothing_is_cut(cls: str, width: int) -> None:
    state = {"cell": [1, 2]} if cls == "ModelView" else {}
    root = made(cls, width=width, query=3, **state)
    assert float(root.get("width", 0)) == width
    left, _, units, _ = map(float, root.get("viewBox", "").split())
    for element in root.iter(f"{SVG}text"):
        if element.get("x") is None or cls == "ModelView":  # its lines are moved aside
            continue
        x, size = float(element.get("x", 0)), float(element.get("font-size", 0))
        wide = 0.54 * size * len(element.text or "")  # of an average letter
        end = {"middle": x + wide / 2, "end": x}.get(element.get("text-anchor", ""), x + wide)
        assert end <= left + units + 1, element.text


def test_text_that_does_not_fit_is_refused_with_the_width_that_does() -> None:
    with pytest.raises(ValueError, match=r"width=312 .*font_size=8: it needs \d+ pixels") as caught:
        made("NeuronView", width="3.25in", font_size=8)
    found = re.search(r"needs (\d+) pixels", str(caught.value))
    assert found is not None
    assert float(made("NeuronView", width=int(found[1]), font_size=8).get("width", 0)) < 600


def test_a_title_a_legend_and_a_mark_can_be_left_out() -> None:
    assert texts(made("HeadView", width="3.25in"))[0] == "Layer 0"
    own = texts(made("HeadView", width="3.25in", query=1))
    assert "looks most at" in " ".join(own[:2])
    assert {"not checked against the model", "weight", "Heads"} <= set(own)
    title = "A sentence that is too long for a single line of a narrow column"
    told = texts(made("HeadView", width="3.25in", title=title, query=1))
    assert "Layer 0" not in told
    assert " ".join(told[:2]) == title
    assert {"not checked against the model", "weight", "Heads"} <= set(told)
    assert "Layer 0" not in texts(made("HeadView", title=""))
    bare = texts(made("HeadView", title="", legend=False, mark=False, query=1))
    assert bare[0] == "query"
    assert not {"not checked against the model", "weight", "Heads"} & set(bare)


@pytest.mark.parametrize("names", [("a", "b"), ("before", "after")])
def test_what_is_compared_is_named(names: tuple[str, str]) -> None:
    traces = [AttentionTrace.from_arrays(TOKENS, weights(seed=seed)) for seed in (0, 1)]
    comparison = bertviz.compare(*traces, names=names)
    first, second = names
    for view, state in (
        (HeadView(comparison), {}),
        (HeadView(comparison), {"mode": "matrix"}),
        (bertviz.ModelView(comparison), {"measure": None, "cell": [0, 1]}),
    ):
        said = texts(ET.fromstring(view.svg(**state)))
        assert {f"more in {first}", f"more in {second}"} <= set(said)
        opacity = [text for text in said if f"|{second} − {first}|" in text]
        assert opacity or state == {"mode": "matrix"}


def test_files_in_one_page_share_no_ids() -> None:
    def names(svg: str) -> set[str]:
        assert re.findall(r"<style>(\S+) text ", svg) == [f".{ET.fromstring(svg).get('class')}"]
        found = re.findall(r' (?:id|class)="([^"]+)"', svg)
        assert len(found) == len(set(found)) > 1
        used = re.findall(r"url\(#([^)]+)\)", svg)
        assert used
        assert set(used) < set(found)
        return set(found)

    view = a_head_view(weights(), TOKENS)
    first, second, again = (names(view.svg(query=query)) for query in (1, 2, 1))
    assert not first & second
    assert first == again


def test_every_format_is_as_large(tmp_path: Path) -> None:
    view = a_head_view(weights(), TOKENS)
    for suffix in ("png", "pdf"):
        view.save(tmp_path / f"x.{suffix}", width="3.25in", font_size=8)
    png, pdf = (tmp_path / "x.png").read_bytes(), (tmp_path / "x.pdf").read_bytes()
    per_meter = struct.unpack(">I", png[png.index(b"pHYs") + 4 :][:4])[0]
    assert struct.unpack(">I", png[16:20])[0] / (per_meter * 0.0254) == pytest.approx(3.25, 1e-3)
    box = re.search(rb"MediaBox ?\[0 0 ([\d.]+)", pdf)
    assert box is not None
    assert float(box[1]) == pytest.approx(3.25 * 72)


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
