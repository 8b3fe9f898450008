"""What a page may run and load: its Content-Security-Policy.

The problem. A page of one's own often forbids inline scripts, which an output is made of, unless
they carry the nonce of that page or their hash is named. And a saved page that holds a stranger's
text should itself forbid everything but what we put there, whatever else is found in it.
"""

from __future__ import annotations

import base64
import hashlib
import re

from bertviz.errors import a_type, short

# What a policy takes for a nonce (CSP Level 3, nonce-source), and HTML needs no escaping for.
NONCE = re.compile(r"[A-Za-z0-9+/_-]+={0,2}")
INLINE = re.compile(r"<(script|style)[^>]*>(.*?)</\1>", re.DOTALL)


def check_nonce(nonce: object) -> str | None:
    """A nonce, or None.

    Raises:
        TypeError: It is neither a str nor None.
        ValueError: No policy can name it.

    >>> check_nonce("'unsafe-inline'")
    Traceback (most recent call last):
        ...
    ValueError: nonce="'unsafe-inline'" is not a nonce: expected letters, digits and any of + / _ -, such as secrets.token_urlsafe() gives.
    """  # noqa: E501
    if nonce is None:
        return None
    if not isinstance(nonce, str):
        raise TypeError(
            f"nonce={short(nonce)} is {a_type(nonce)}: expected a str, such as"
            " secrets.token_urlsafe() gives."
        )
    if not NONCE.fullmatch(nonce):
        raise ValueError(
            f"nonce={short(nonce)} is not a nonce: expected letters, digits and any of + / _ -,"
            " such as secrets.token_urlsafe() gives."
        )
    return nonce


def policy_of(markup: str) -> str:
    """The strictest policy under which a page works: the scripts and styles in it, and no others.

    Args:
        markup: What the page consists of.

    >>> policy_of("<script>1</script>")[:80]
    "default-src 'none'; script-src 'sha256-a4ayc/80/OGda4BO/1o/V0etpOqiLx1JwB5S3beHW"
    """
    hashes: dict[str, list[str]] = {"script": [], "style": []}
    for name, content in INLINE.findall(markup):
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        hashes[name].append(f"'sha256-{digest}'")
    named = {name: " ".join(dict.fromkeys(found)) or "'none'" for name, found in hashes.items()}
    return (
        f"default-src 'none'; script-src {named['script']}; style-src {named['style']};"
        # "Save" makes a PNG by way of an image that the page itself has made.
        " img-src blob:; base-uri 'none'; form-action 'none';"
        " require-trusted-types-for 'script'"
    )
