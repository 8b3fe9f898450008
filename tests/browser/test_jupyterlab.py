"""The views in a real JupyterLab, with every request but the server's own refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import expect

MODEL = """\
import torch
from transformers import BertConfig, BertModel
from bertviz import HeadView, extract, head_view, model_view, neuron_view

torch.manual_seed(0)
config = BertConfig(
    vocab_size=50, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=32
)
trace = extract(BertModel(config), inputs={"input_ids": torch.tensor([[2, 7, 8, 9, 3]])})
"""


@pytest.fixture(scope="module")
def lab(jupyterlab: Any) -> Any:
    """A notebook with views made in every way, run."""
    name = jupyterlab.write(
        "views.ipynb",
        [
            MODEL,
            "head_view(trace)\nprint('after the view')",
            "model_view(trace)",
            "neuron_view(trace, layer=1, head=2)",
            "view = HeadView(trace, layer=1)\nview",
            "for _ in range(2):\n    display(view)",
        ],
    )
    opened = jupyterlab.open(f"lab/tree/{name}")
    jupyterlab.run_all(opened)
    # Notebooks draw cells when they come into view; scrolling does what a reader does.
    for count in range(1, 7):
        opened.page.locator(".bertviz").nth(count - 1).wait_for(state="attached")
        opened.page.locator(".bertviz").nth(count - 1).scroll_into_view_if_needed()
    opened.ready(6)
    return opened


def test_every_view_is_drawn_without_a_request_or_an_error(lab: Any) -> None:
    hosts = lab.page.locator(".bertviz")
    views = [hosts.nth(i).get_attribute("data-view") for i in range(hosts.count())]
    assert views == ["head", "model", "neuron", "head", "head", "head"]
    assert lab.drawn(hosts.nth(2))["heads"] == [2]
    assert lab.requests == []
    assert [error for error in lab.errors if "bertviz" in error or "not defined" in error] == []


def test_the_same_object_twice_is_two_views(lab: Any) -> None:
    hosts = lab.page.locator(".bertviz")
    before = [lab.drawn(hosts.nth(i)) for i in (3, 5)]
    lab.set(hosts.nth(4), heads=[1], query=2, locked=True)
    assert lab.drawn(hosts.nth(4))["query"] == 2
    assert [lab.drawn(hosts.nth(i)) for i in (3, 5)] == before


def test_a_real_mouse_and_keyboard(lab: Any) -> None:
    host = lab.page.locator(".bertviz").nth(0)
    token = host.locator('[data-token="query"][data-index="1"]')
    token.scroll_into_view_if_needed()
    token.hover()
    lab.settled(host, query=1, locked=False)
    token.click()
    lab.settled(host, query=1, locked=True)
    lab.page.keyboard.press("ArrowDown")
    lab.settled(host, query=2, locked=True)
    lab.page.keyboard.press("Escape")
    lab.settled(host, query=None, locked=False)


def test_what_is_typed_into_the_search_is_no_command_of_the_notebook(lab: Any) -> None:
    """In JupyterLab's command mode "dd" deletes a cell, "a" adds one, "m" makes it text."""
    page, host = lab.page, lab.page.locator(".bertviz").nth(0)
    host.scroll_into_view_if_needed()
    cells = "window.jupyterapp.shell.currentWidget.content.model.cells.length"
    before = page.evaluate(cells)
    host.locator('[data-token="query"]').first.hover()
    page.keyboard.press("/")
    field = host.locator('input[name="search"]')
    expect(field).to_be_focused()
    page.keyboard.type("ddamxb")
    expect(field).to_have_value("ddamxb")
    assert page.evaluate(cells) == before
    field.fill("#3")
    page.keyboard.press("Enter")
    lab.settled(host, query=3, locked=True)
    page.keyboard.press("Escape")
    expect(field).to_have_value("")
    lab.settled(host, query=3, locked=True)
    page.keyboard.press("Escape")
    host.locator('[data-token="query"]').first.hover()
    page.keyboard.press("Escape")
    lab.settled(host, query=None, locked=False)
    assert page.evaluate(cells) == before


def test_the_theme_follows_the_notebook(lab: Any) -> None:
    host = lab.page.locator(".bertviz").nth(0)

    def change(theme: str, mode: str) -> None:
        lab.page.evaluate(
            "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})", theme
        )
        host.locator(f".view[data-theme={mode}]").wait_for()

    change("JupyterLab Dark", "dark")
    change("JupyterLab Light", "light")


def test_a_second_view_of_an_output_comes_alive(lab: Any) -> None:
    page = lab.page
    page.locator(".jp-OutputArea-output .bertviz").nth(0).click(
        button="right", position={"x": 5, "y": 5}
    )
    page.get_by_role("menuitem", name="Create New View for Cell Output").click()
    clone = page.locator(".jp-LinkedOutputView .bertviz[data-state=ready]")
    clone.wait_for()
    lab.set(clone, heads=[3])
    assert lab.drawn(page.locator(".jp-Notebook .bertviz").nth(0))["heads"] != [3]


@pytest.fixture(scope="module")
def saved(lab: Any, jupyterlab: Any) -> dict[str, Any]:
    """The notebook's file, with its outputs."""
    lab.page.evaluate("window.jupyterapp.commands.execute('docmanager:save')")
    lab.page.wait_for_function("!window.jupyterapp.shell.currentWidget.context?.model.dirty")
    notebook = json.loads((jupyterlab.folder / "views.ipynb").read_text(encoding="utf-8"))
    assert all(cell["outputs"] for cell in notebook["cells"][1:])
    return notebook


def test_a_saved_notebook_draws_when_it_is_opened_again(saved: Any, jupyterlab: Any) -> None:
    again = jupyterlab.open("doc/tree/views.ipynb")
    again.page.locator(".bertviz").nth(0).scroll_into_view_if_needed()
    again.ready(1)
    assert again.requests == []


def test_an_untrusted_notebook_says_what_to_do(saved: Any, jupyterlab: Any) -> None:
    stranger = json.loads(json.dumps(saved))
    stranger["cells"][0]["source"] = "# written by somebody else"  # so the signature is not ours
    (jupyterlab.folder / "stranger.ipynb").write_text(json.dumps(stranger), encoding="utf-8")
    opened = jupyterlab.open("doc/tree/stranger.ipynb")
    sentence = opened.page.locator(".jp-OutputArea-output p", has_text="needs JavaScript").nth(0)
    sentence.wait_for()
    assert "Trust" in sentence.inner_text()
    assert opened.page.locator(".bertviz[data-state=ready]").count() == 0
