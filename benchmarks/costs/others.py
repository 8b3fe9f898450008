"""CircuitsVis and Inspectus: their pages have their scripts inside and show a layer as matrices."""

from __future__ import annotations

from playwright.sync_api import Locator, Page

from costs.browser import Actions
from costs.interactions import centers
from costs.package import Package


def along_the_diagonal(page: Page, first: Locator, of: int) -> Actions:
    """Point at one cell after the other; ``first`` is a cell, or a square of ``of`` by ``of``."""
    box = first.bounding_box()
    assert box is not None
    x, y, side = box["x"], box["y"], box["width"] / of
    return {"hover": lambda i: page.mouse.move(x + (3.5 + i) * side, y + (3.5 + i) * side)}


class CircuitsVis(Package):
    """CircuitsVis 1.43.3: a small matrix for each head, and the first one large.

    ``local_src`` is what it shows where there is no network. Otherwise its script comes from a CDN.
    """

    name = "CircuitsVis"
    requirements = ("circuitsvis==1.43.3", "importlib-metadata==8.7.0", "zipp==3.23.0")
    prepare = "import circuitsvis.attention as module"
    html = "module.attention_heads(attention=attention[0], tokens=tokens).local_src"
    complete = ":nth-match(canvas, 13)"

    def actions(self, page: Page, tokens: int) -> Actions:
        """Point at cells of the large matrix, and at small ones, which become the large one."""
        small = centers(page, page.locator("canvas").all()[:-1])
        return along_the_diagonal(page, page.locator("canvas").last, tokens) | {
            "preview a head": lambda i: page.mouse.move(*small[i]),
        }


class Inspectus(Package):
    """Inspectus 0.2.0: the mean of the heads as one matrix, and the tokens below it."""

    name = "Inspectus"
    requirements = ("inspectus==0.2.0",)
    prepare = """
import inspectus as module, inspectus.attention_viz
parts = []
IPython.display.display = lambda part: parts.append(part.data)
"""
    html = 'module.attention(attention, tokens) or "".join(parts)'
    complete = ".attention-visualization .token"

    def actions(self, page: Page, tokens: int) -> Actions:
        """Point at cells of the matrix, and click on heads, whose mean it is."""
        heads = page.locator(".dimension-values").last.locator(".value")
        return along_the_diagonal(page, page.locator(".grid .cell").first, 1) | {
            "toggle a head": lambda i: heads.nth(i).click(force=True),
        }
