"""Views in pages that forbid what a view might be tempted to do, and in sandboxes.

Every page that ``page_of`` opens has the policy that a saved page has, so all other browser tests
run under it too.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Route, expect

from bertviz import HeadView, ModelView, NeuronView
from bertviz.trace import AttentionTrace
from bertviz.views.view import View
from bertviz.web import page
from tests.browser.opened import Opened

TOKENS = ["[CLS]", "the", "straw", "##berry", "sat", "[SEP]"]
QUERIES, KEYS = np.random.default_rng(0).normal(size=(2, 2, 3, 6, 8)) * 1.5
TRACE = AttentionTrace.from_arrays(TOKENS, queries=QUERIES, keys=KEYS, sentence_b_start=3)
ADDRESS = "http://page.test/"
NONCE = "c29tZSBub25jZQ=="
POLICY = (
    f"default-src 'none'; script-src 'nonce-{NONCE}'; style-src 'none'; img-src blob:;"
    " require-trusted-types-for 'script'; trusted-types 'none'"
)
STATES: dict[type[View], list[dict[str, Any]]] = {
    HeadView: [
        {"query": 2, "locked": True},
        {"mode": "matrix", "key": 1},
        {"mode": "lines", "words": True, "query": None, "key": None, "locked": False},
        {"words": False, "zoom": [0, 4, 0, 4], "query": 1},
    ],
    ModelView: [{"cell": [1, 2]}, {"measure": "entropy", "sorted": True}, {"cell": None}],
    NeuronView: [{"query": 2, "locked": True}, {"detail": False}, {"detail": True, "off": [1]}],
}


@pytest.fixture
def served(browser: Browser) -> Iterator[Callable[..., Opened]]:
    """Opens pages of a server: served(markup, policy)."""
    contexts = []

    def open_page(markup: str, policy: str | None = None, **frames: str) -> Opened:
        context = browser.new_context(viewport={"width": 1000, "height": 1000})
        contexts.append(context)
        opened = Opened(context.new_page())

        def answer(route: Route) -> None:
            name = route.request.url.removeprefix(ADDRESS)
            if name and name not in frames:
                opened.requests.append(route.request.url)
                route.abort()
                return
            headers = {"content-type": "text/html; charset=utf-8"}
            if policy is not None and not name:
                headers["content-security-policy"] = policy
            route.fulfill(body=frames[name] if name else markup, headers=headers)

        context.route("**/*", answer)
        opened.page.goto(ADDRESS)
        return opened

    yield open_page
    for context in contexts:
        context.close()


def whole(body: str) -> str:
    return f'<!DOCTYPE html><html lang="en"><title>x</title><body>{body}</body></html>'


def use(opened: Opened, view: View) -> list[bytes]:
    """Show every kind of thing, save each, and give pictures of the page and the files."""
    found = []
    save = opened.host.locator(".save").first
    for state in [{}, *STATES[type(view)]]:
        if state:
            opened.set(**state)
        opened.leave()
        opened.quiet()
        found.append(_still(opened))
    for format in ("svg", "png"):
        with opened.page.expect_download() as saved:
            opened.host.locator(f'button[data-action="{format}"]').click()
        found.append(saved.value.path().read_bytes())
    expect(save).to_have_text("SaveSVGPNG")
    token = opened.host.locator('[data-token="query"][data-index="1"]')
    if token.is_visible():
        token.click()
        token.hover()
        opened.quiet()
    assert opened.errors == []
    assert opened.requests == []
    return found


def _still(opened: Opened) -> bytes:
    """A picture of a view without transitions, once two in a row are the same."""
    last, picture = b"", opened.host.screenshot(animations="disabled")
    while picture != last:
        last, picture = picture, opened.host.screenshot(animations="disabled")
    return picture


@pytest.mark.parametrize("cls", STATES)
def test_everything_works_under_the_strictest_policy(
    served: Callable[..., Opened], cls: type[View]
) -> None:
    """A nonce, no inline style, no parser: and it looks the same as without a policy."""
    view = cls(TRACE)
    free = served(whole(view.data))
    free.ready()
    expected = use(free, view)
    view.nonce = NONCE
    opened = served(whole(view.data), POLICY)
    opened.ready()
    found = use(opened, view)
    for one, other in zip(found, expected, strict=True):
        # The browser rounds the edge of a button to one or the other of two grays.
        assert one == other or free.page.evaluate(DIFFERENCE, [encoded(one), encoded(other)]) <= 3


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


# The largest difference of any color of two pictures, 0..255; 256 if they differ in size.
DIFFERENCE = """async (pictures) => {
  const pixels = await Promise.all(pictures.map(async (text) => {
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([bytes], {type: "image/png"}));
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    const context = canvas.getContext("2d");
    context.drawImage(bitmap, 0, 0);
    return context.getImageData(0, 0, bitmap.width, bitmap.height);
  }));
  const [a, b] = pixels;
  if (a.width !== b.width || a.height !== b.height) return 256;
  return a.data.reduce((most, value, i) => Math.max(most, Math.abs(value - b.data[i])), 0);
}"""


@pytest.mark.parametrize("cls", STATES)
def test_a_saved_page_works_under_its_own_policy(
    browser: Browser, tmp_path: Path, cls: type[View]
) -> None:
    view = cls(TRACE, nonce=NONCE)
    view.save(tmp_path / "x.html")
    assert NONCE not in (tmp_path / "x.html").read_text(), "a file of its own needs no nonce"
    context = browser.new_context(viewport={"width": 1000, "height": 1000})
    opened = Opened(context.new_page())
    opened.only_allow(lambda url: url == (tmp_path / "x.html").as_uri())
    opened.page.goto((tmp_path / "x.html").as_uri())
    opened.ready()
    use(opened, view)
    # Nothing else runs or is asked for, whoever puts it there.
    tried = opened.page.evaluate(
        """async () => {
             const script = document.createElement("script");
             const image = Object.assign(new Image(), { src: "https://x.test/x.png" });
             const results = {};
             try { script.text = "window.ran = 1"; } catch (error) { results.text = error.name; }
             try { document.body.innerHTML = "<b>x</b>"; }
             catch (error) { results.html = error.name; }
             document.body.append(script, image);
             await fetch("https://x.test/").catch((error) => { results.fetch = error.name; });
             return { ...results, ran: window.ran ?? null };
           }"""
    )
    assert tried == {"text": "TypeError", "html": "TypeError", "fetch": "TypeError", "ran": None}
    assert opened.requests == []
    context.close()


def test_lines_that_are_an_image_are_saved_under_a_policy(served: Callable[..., Opened]) -> None:
    """The picture holds an image of its own, which the policy does not have to allow."""
    view = HeadView(AttentionTrace.from_arrays(weights=np.full((1, 1, 90, 90), 1 / 90)))
    found = []
    for markup in (whole(view.data), page.document(view.data)):
        opened = served(markup)
        opened.ready()
        opened.set(mass=1)
        for format in ("svg", "png"):
            with opened.page.expect_download() as saved:
                opened.host.locator(f'button[data-action="{format}"]').click()
            found.append(saved.value.path().read_bytes())
        assert opened.errors == []
    assert b"data:image/png" in found[0]
    assert found[:2] == found[2:]


def test_without_a_nonce_the_sentence_stays(served: Callable[..., Opened]) -> None:
    opened = served(whole(HeadView(TRACE).data), POLICY)
    expect(opened.host).to_contain_text("This head view needs JavaScript")
    assert opened.host.get_attribute("data-state") == "loading"


def test_a_policy_that_refuses_pictures_is_named(served: Callable[..., Opened]) -> None:
    view = HeadView(TRACE, nonce=NONCE)
    opened = served(whole(view.data), POLICY.replace("img-src blob:;", ""))
    opened.ready()
    opened.host.locator('button[data-action="png"]').click()
    said = opened.host.locator(".save [role=alert]")
    expect(said).to_contain_text("the page's policy may refuse it (img-src blob:). Save it as SVG")
    with opened.page.expect_download() as saved:
        opened.host.locator('button[data-action="svg"]').click()
    assert saved.value.path().read_text("utf-8").startswith("<svg")


# Puts markup into nested open shadow roots, and runs its scripts there.
INTO_SHADOW = """(markup) => {
  const outer = document.body.appendChild(document.createElement("div"));
  const root = outer.attachShadow({ mode: "open" });
  const ground = root.appendChild(document.createElement("section"));
  ground.style.background = "#101418";
  const inner = ground.appendChild(document.createElement("div")).attachShadow({ mode: "open" });
  inner.innerHTML = markup;
  for (const old of inner.querySelectorAll("script")) {
    const script = document.createElement("script");
    script.textContent = old.textContent;
    old.replaceWith(script);
  }
}"""


@pytest.mark.parametrize("cls", STATES)
def test_a_host_in_an_open_shadow_root_is_found(
    served: Callable[..., Opened], cls: type[View]
) -> None:
    view = cls(TRACE)
    opened = served(whole("<p>a page of components</p>"))
    opened.page.evaluate(INTO_SHADOW, view.data)
    opened.ready()
    use(opened, view)
    theme = opened.host.locator(".view").get_attribute("data-theme")
    assert theme == "dark", "the ground around the shadow roots decides"


def test_an_output_is_cloned_into_a_shadow_root(served: Callable[..., Opened]) -> None:
    """The host in the page is drawn already; the clone in the shadow root is the one to draw."""
    fragment = HeadView(TRACE).data
    opened = served(whole(fragment))
    opened.ready()
    opened.page.evaluate(INTO_SHADOW, fragment)
    opened.ready(2)
    assert opened.errors == []


SANDBOXES = {
    "allow-scripts allow-same-origin allow-downloads": "",
    "allow-scripts allow-same-origin": "Not saved: this page is in a sandbox that refuses",
    "allow-scripts": "If no file arrives, this page is in a sandbox that refuses",
    "allow-scripts allow-downloads": "If no file arrives, this page is in a sandbox that refuses",
}


@pytest.mark.parametrize("sandbox", SANDBOXES)
@pytest.mark.parametrize("format", ["svg", "png"])
def test_a_sandbox_that_refuses_downloads_is_named(
    served: Callable[..., Opened], sandbox: str, format: str
) -> None:
    view = HeadView(TRACE)
    frame = f'<iframe sandbox="{sandbox}" src="frame" width="900" height="700"></iframe>'
    opened = served(whole(frame), frame=page.document(view.data))
    inside = opened.page.frame_locator("iframe").locator(".bertviz[data-state=ready]")
    inside.wait_for()
    button = inside.locator(f'button[data-action="{format}"]')
    said = inside.locator(".save [role=alert]")
    if "allow-downloads" in sandbox:
        with opened.page.expect_download() as saved:
            button.click()
        assert saved.value.suggested_filename == f"head_view.{format}"
    else:
        button.click()
    expect(said).to_contain_text(SANDBOXES[sandbox])
    link = said.locator("a")
    assert link.count() == bool(SANDBOXES[sandbox])
    if not SANDBOXES[sandbox]:
        expect(said).to_have_text("")
        return
    assert link.get_attribute("download") == f"head_view.{format}"


def test_a_page_that_a_server_puts_into_a_sandbox_says_so(served: Callable[..., Opened]) -> None:
    """Jupyter's server does so with every HTML file that it opens."""
    opened = served(page.document(HeadView(TRACE).data), "sandbox allow-scripts")
    opened.ready()
    opened.host.locator('button[data-action="svg"]').click()
    said = opened.host.locator(".save [role=alert]")
    expect(said).to_contain_text("If no file arrives, this page is in a sandbox that refuses")
    expect(said.locator("a")).to_have_attribute("download", "head_view.svg")
