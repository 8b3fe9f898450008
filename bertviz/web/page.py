r"""payload → HTML that draws itself wherever a notebook puts it.

The problem. A notebook may evaluate our script in its own page, clone the output into another
panel, show it in a frame of another origin, keep it for a year, or refuse to run it. Its style
sheets apply to our markup, and ours to its markup. There may be no network. And what we ship
contains arbitrary text from a tokenizer.

So an output is one host element and one script beside it, nothing else:

* the script contains the bundle and the payload, so it needs no request and does not have to find
  its data in the page;
* it finds its host by an id that is new for each output, and draws into every host with that id
  that has not been drawn into: a cloned output draws its own copy, and outputs never interfere;
* the view is inside a shadow root;
* the host contains a sentence until the view replaces it, so that an untrusted notebook says what
  to do instead of staying blank;
* the payload is escaped for a script element: ``<``, ``>`` and ``&`` as ``\u`` escapes, and
  everything beyond ASCII too.
"""

from __future__ import annotations

import functools
import html
import importlib.resources
import json
import uuid
from collections.abc import Mapping
from typing import Any

from bertviz.web.policy import check_nonce, policy_of

# HTML, and ASCII like the rest of an output, so that a file in any encoding shows it.
SLEEPING = (
    "This {} needs JavaScript. Trust the notebook (File &rarr; Trust Notebook, or "
    "&ldquo;Notebook: Trust&rdquo; in the command palette) or run the cell again."
)
# Chromium runs an inline script of this length and silently skips a longer one.
SCRIPT_CHARACTERS = 2**29 - 25
# What a page of its own stands on.
GROUND = (
    "<style>:root { color-scheme: light dark; } "
    "body { margin: 24px; background: #ffffff; } "
    "@media (prefers-color-scheme: dark) { body { background: #0f1419; } }</style>"
)
NAMES = {"head": "head view", "model": "model view", "neuron": "neuron view"}


def render(payload: Mapping[str, Any], nonce: str | None = None) -> str:
    """One output: a host element and the script that draws into it.

    Args:
        payload: What ``bertviz.web.payload.build`` returns.
        nonce: The nonce that the script carries, for a page whose policy asks for one.

    Returns:
        An HTML fragment with an id of its own; call again for a second output.

    Raises:
        TypeError: The nonce is not a str.
        ValueError: It is not a nonce, or there is so much to show that a browser would leave the
            page blank.
    """
    own = "" if check_nonce(nonce) is None else f' nonce="{nonce}"'
    identity = uuid.uuid4().hex
    view = payload["view"]
    script = f'(() => {{\n{bundle()}\nbertviz.mount("{identity}", {script_json(payload)});\n}})();'
    if len(script) > SCRIPT_CHARACTERS:
        raise ValueError(
            f"This {NAMES[view]} is {len(script) / 1e6:.0f} MB; browsers silently skip scripts over"
            f" {SCRIPT_CHARACTERS / 1e6:.0f} MB, and the page would stay blank. Pass"
            " fewer layers or heads, such as include_layers=[0, 1] or include_heads=[0, 1], or a"
            " shorter text."
        )
    return (
        f'<div class="bertviz" data-view="{html.escape(view)}" data-state="loading"'
        f' data-bertviz-id="{identity}"><p>{SLEEPING.format(NAMES[view])}</p></div>\n'
        f"<script{own}>{script}</script>"
    )


def document(fragment: str, title: str = "Attention") -> str:
    """A whole HTML page around one output, for a file of its own.

    Its policy forbids everything that is not in it.

    Args:
        fragment: What ``render`` returns.
        title: The page's title; escaped here.
    """
    policy = policy_of(GROUND + fragment)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{_ascii(title)}</title>\n"
        f"{GROUND}\n"
        f"</head>\n<body>\n{fragment}\n</body>\n</html>\n"
    )


def _ascii(text: str) -> str:
    """Text for HTML in ASCII; half a surrogate pair, which UTF-8 cannot hold, included."""
    return html.escape(text).encode("ascii", "xmlcharrefreplace").decode()


def script_json(value: object) -> str:
    r"""JSON that is safe inside a script element.

    >>> script_json("</script><!-- é")
    '"\\u003c/script\\u003e\\u003c!-- \\u00e9"'
    """
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


@functools.cache
def bundle() -> str:
    """The JavaScript bundle that the package's build made.

    Raises:
        FileNotFoundError: The package was not built; the message says how to.
    """
    resource = importlib.resources.files("bertviz.web") / "static" / "bertviz.js"
    try:
        return resource.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise FileNotFoundError(
            "bertviz/web/static/bertviz.js is missing: the JavaScript bundle is made when the"
            " package is built. In a clone run `make bundle`; otherwise install the package again."
        ) from None
