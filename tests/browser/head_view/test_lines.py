"""The pixels of lines, and the bars beside the tokens, against the weights."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tests.browser.head_view.reading import pixels
from tests.browser.opened import Opened
from tests.helpers import a_head_view, weights

FULL = 150 - 14 - 6 - 28  # pixels of a bar that stands for 1, where there is one head


@pytest.mark.parametrize("weight", [0.2, 0.55, 1.0])
def test_the_opacity_drawn_is_the_weight(page_of: Callable[..., Opened], weight: float) -> None:
    """One head, one line: its pixels have the weight as their alpha."""
    matrix = np.zeros((1, 1, 3, 3))
    matrix[0, 0, 1, 1] = weight
    opened = page_of(a_head_view(matrix, ["a", "b", "c"]))
    alpha = pixels(opened)[..., 3] / 255
    row = alpha[36 - 3 : 36 + 3, alpha.shape[1] // 2]  # a level line in the second row
    assert abs(row.max() - weight) < 0.01
    opened.token("query", 1).hover()
    opened.settled(query=1)
    touched = pixels(opened, 1)[..., 3] / 255
    row = touched[36 - 3 : 36 + 3, alpha.shape[1] // 2]
    assert abs(row.max() - weight) < 0.01
    bar = opened.host.locator('[data-part="columns"] [data-head="0"][data-index="1"]')
    assert bar.inner_text() == f"{weight:.2f}"
    width = bar.locator("i").bounding_box()
    assert width is not None
    assert abs(width["width"] - weight * FULL) < 1


def test_a_head_that_looks_everywhere_does_not_look_empty(page_of: Callable[..., Opened]) -> None:
    """At 512 tokens every weight of it is below what is listed."""
    n = 512
    even = page_of(a_head_view(np.full((1, 1, n, n), 1 / n), [str(i) for i in range(n)]))
    assert even.scene("scene.edges.weight") == []
    ink = pixels(even)[..., 3] / 255
    assert ink.mean() > 0.02
    even.token("query", 5).hover()
    even.settled(query=5)
    assert (pixels(even, 1)[..., 3] > 0).mean() > 0.2
    assert "100% too small to be listed, shaded" in even.text()
    even.set(mode="matrix")
    values = np.array(even.scene("scene.matrix.values"))
    np.testing.assert_allclose(values, 1 / n, atol=1e-5)


# Ink and the mean difference between neighbours: at once after a change, and when nothing moves.
INK = """(host) => new Promise((resolve, reject) => {
  setTimeout(() => reject(new Error("it never became sharp")), 20_000);
  const canvas = host.shadowRoot.querySelector(".pane canvas");
  const ink = () => {
    const {width, height} = canvas;
    const {data} = canvas.getContext("2d").getImageData(0, 0, width, height);
    let [sum, steps] = [0, 0];
    for (let i = 3; i < data.length; i += 4) {
      sum += data[i];
      if (i > 4) steps += Math.abs(data[i] - data[i - 4]);
    }
    return [sum, steps];
  };
  const observer = new MutationObserver(() => {
    observer.disconnect();
    const moving = ink();
    const sharpened = () => {
      const now = ink();
      if (now[1] !== moving[1]) resolve([moving, now]); else requestAnimationFrame(sharpened);
    };
    sharpened();
  });
  observer.observe(host, {attributes: true, attributeFilter: ["data-drawn"]});
  host.bertviz.set({heads: [...Array(11).keys()]});
})"""


def test_many_lines_are_sharp_once_nothing_moves(page_of: Callable[..., Opened]) -> None:
    opened = page_of(a_head_view(weights(1, 12, 60), [f"t{i}" for i in range(60)]))
    moving, sharp = opened.host.evaluate(INK)
    assert abs(moving[0] / sharp[0] - 1) < 0.05, "the same picture"
    assert moving[1] < 0.8 * sharp[1], "coarser"
