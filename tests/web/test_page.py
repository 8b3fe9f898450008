"""The HTML of an output: self-contained, escaped, and whole."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from bertviz import HeadView
from bertviz.web import page
from tests.helpers import a_head_view

HOSTILE = [
    "</script>",
    "</SCRIPT >",
    "<!--",
    "<script>",
    "]]>",
    "&lt;",
    '"',
    "\\",
    "\x00",
    "\u2028",
    "\ud800",
    "é🙂",
    "x" * 10_000,
]


class Elements(HTMLParser):
    """What a parser sees of a fragment."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: dict[str, str | None] = {}
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes.update(attrs)


def view(tokens: list[str]) -> HeadView:
    n = len(tokens)
    return a_head_view([[[1 / n] * n] * n], tokens)


def test_hostile_tokens_cannot_leave_the_script() -> None:
    fragment = view(HOSTILE).data
    assert Elements(fragment).tags == ["div", "p", "script"]
    assert fragment.count("</script") == 1
    assert fragment.isascii()
    assert "<!--" not in fragment.split("bertviz.mount(")[1]


def test_a_page_that_would_stay_blank_is_an_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    large = view(["a", "b"])
    script = large.data.split("<script>")[1].removesuffix("</script>")
    monkeypatch.setattr("bertviz.web.page.SCRIPT_CHARACTERS", len(script))
    assert view(["a", "b"]).data
    monkeypatch.setattr("bertviz.web.page.SCRIPT_CHARACTERS", len(script) - 1)
    for read in (lambda: view(["a", "b"]).data, lambda: large.save(tmp_path / "x.html")):
        with pytest.raises(ValueError, match=r"stay blank.* include_layers="):
            read()
    assert not list(tmp_path.iterdir())


def test_nothing_is_asked_of_a_network() -> None:
    text = view(["a", "b"])._document()
    addresses = set(re.findall(r"https?://[^\s\"'`)]+", text))
    # Names of XML namespaces, which nobody fetches.
    assert {address for address in addresses if "www.w3.org" not in address} == set()
    for forbidden in ("@import", "src=", "fetch(", "XMLHttpRequest", "require("):
        assert forbidden not in text, forbidden


def test_the_script_has_nothing_that_a_policy_refuses() -> None:
    for forbidden in (
        *("innerHTML", "outerHTML", "insertAdjacentHTML", "createContextualFragment", "srcdoc"),
        *("document.write", "DOMParser", "setHTMLUnsafe", "eval(", "new Function", "Worker("),
        *('createElement("style")', 'createElement("script")', "data:image/svg", "import("),
    ):
        assert forbidden not in page.bundle(), forbidden


def test_an_output_carries_the_nonce_that_is_asked_for() -> None:
    shown = view(["a", "b"])
    assert "nonce" not in shown.data.split("<script>")[0]
    for option in ("abc-_+/==", "d29ybGQ"):
        shown = a_head_view([[[0.5, 0.5]] * 2], ["a", "b"], nonce=option)
        assert shown.nonce == option
        assert f'<script nonce="{option}">' in shown.data
        assert f'<script nonce="{option}">' in shown._repr_mimebundle_()["text/html"]
    shown.nonce = None
    assert "<script>" in shown.data


@pytest.mark.parametrize(
    ("nonce", "kind", "message"),
    [
        ("", ValueError, "nonce='' is not a nonce"),
        ('"><script>', ValueError, "is not a nonce: expected letters"),
        ("a b", ValueError, "is not a nonce"),
        ("a\n", ValueError, "is not a nonce"),
        (b"abc", TypeError, "nonce=b'abc' is a bytes: expected a str"),
        (3, TypeError, "nonce=3 is an int: expected a str"),
    ],
)
def test_what_is_no_nonce_is_named(nonce: object, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        a_head_view([[[0.5, 0.5]] * 2], ["a", "b"], nonce=nonce)
    shown = view(["a", "b"])
    with pytest.raises(kind, match=message):
        shown.nonce = nonce


def test_a_saved_page_allows_what_is_in_it_and_nothing_else(tmp_path: Path) -> None:
    view(HOSTILE).save(tmp_path / "x.html")
    text = (tmp_path / "x.html").read_text("utf-8")
    [policy] = re.findall(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">', text)
    assert text.index(policy) < text.index("<style>") < text.index("<script>")
    head, body = text.split("</head>")
    for name, part in (("style", head), ("script", body)):
        [content] = re.findall(rf"\n<{name}>(.*?)</{name}>\n", part, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{name}-src 'sha256-{digest}';" in policy
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert "require-trusted-types-for 'script'" in policy


def test_a_title_may_be_any_text() -> None:
    text = page.document("", "é \ud800 <b>")
    assert text.isascii()
    assert "<title>&#233; &#55296; &lt;b&gt;</title>" in text


def test_an_untrusted_notebook_shows_a_sentence() -> None:
    fragment = view(["a", "b"]).data
    assert "Trust the notebook" in fragment.split("<script>")[0]


def test_a_document_is_whole() -> None:
    text = view(["a", "b"])._document()
    assert text.startswith("<!DOCTYPE html>")
    assert Elements(text).tags[:7] == ["html", "head", *["meta"] * 3, "title", "style"]
    assert "<title>a &lt;b&gt;</title>" in page.document("", "a <b>")


def test_a_missing_bundle_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    page.bundle.cache_clear()
    monkeypatch.setattr("importlib.resources.files", lambda _: tmp_path)
    with pytest.raises(FileNotFoundError, match="run `make bundle`"):
        page.bundle()
    page.bundle.cache_clear()
