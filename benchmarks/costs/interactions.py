"""What a reader does with a view, with a real mouse."""

from __future__ import annotations

from playwright.sync_api import (
    Locator,
    Page,
)

from costs.browser import Actions


def centers(page: Page, locators: list[Locator]) -> list[tuple[float, float]]:
    """Where to point; looked up in advance, so that the lookup is not measured."""
    boxes = [locator.first.bounding_box() for locator in locators]
    return [(b["x"] + b["width"] / 2, b["y"] + b["height"] / 2) for b in boxes if b]


def mouse_actions(page: Page, queries: Locator, keys: Locator, head: Locator) -> Actions:
    """What both views have: tokens to point at, heads to click, layers to choose."""
    left, right = (
        centers(page, [tokens.nth(3 + i) for i in range(8)]) for tokens in (queries, keys)
    )
    (square,) = centers(page, [head])
    actions: Actions = {
        "hover a query": lambda i: page.mouse.move(*left[i]),
        "hover a key": lambda i: page.mouse.move(*right[i]),
        "toggle a head": lambda i: page.mouse.click(*square),
    }
    layers = page.locator("select").first
    if layers.locator("option").count() > 7:
        actions["layer switch"] = lambda i: layers.select_option(index=i + 1)
    elif layers.locator("option").count() > 1:
        actions["layer switch"] = lambda i: layers.select_option(index=1 - i % 2)
    return actions


def ours(page: Page) -> dict[str, Locator]:
    sides = ("query", "key")
    return {side: page.locator(f'[data-token="{side}"]') for side in sides}


def of_head_view(page: Page) -> Actions:
    tokens = ours(page)
    actions = mouse_actions(
        page, tokens["query"], tokens["key"], page.locator('button[data-head="4"]')
    )
    left = centers(page, [tokens["query"].nth(3 + i) for i in range(8)])
    heads = centers(page, page.locator("button[data-head]").all())
    modes = page.locator("button[data-mode]")
    return actions | {
        "come and leave": lambda i: page.mouse.move(*((2, 2) if i % 2 else left[i])),
        "preview a head": lambda i: page.mouse.move(*heads[i]),
        "lock": lambda i: page.mouse.click(*left[i]),
        "to the matrix and back": lambda i: modes.nth((i + 1) % 2).click(),
    }


def of_one_layer(page: Page) -> Actions:
    """What of our head view there is in other packages' views, too."""
    actions = of_head_view(page)
    return {"hover": actions["hover a query"]} | {
        name: actions[name] for name in ("preview a head", "toggle a head")
    }


def of_neuron_view(page: Page) -> Actions:
    tokens = ours(page)["query"]
    left = centers(page, [tokens.nth(2 + i) for i in range(8)])
    layers = page.locator("select[name=layer]")
    actions: Actions = {
        "hover a query": lambda i: page.mouse.move(*left[i]),
        "lock": lambda i: page.mouse.click(*left[i]),
        "what if": lambda i: page.evaluate(
            "(i) => document.querySelector('.bertviz').bertviz.set({off: [i]})", i
        ),
    }
    if layers.locator("option").count() > 7:
        actions["layer switch"] = lambda i: layers.select_option(index=i + 1)
    return actions


def of_model_view(page: Page) -> Actions:
    cells = page.locator("button[data-layer]")
    return {"open a head": lambda i: cells.nth(i).click(force=True)}


VIEWS = {"head": of_head_view, "neuron": of_neuron_view, "model": of_model_view}
