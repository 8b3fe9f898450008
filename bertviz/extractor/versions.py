"""The oldest versions of torch and transformers that this package was tested with.

The problem. Older ones lack a function here and there, and fail with an AttributeError deep inside;
an environment that was not made by an installer may well have them. So importing the extractor
begins with this module, which says what to install.

`make oldest` runs the tests with these versions.
"""

from __future__ import annotations

import importlib.metadata
import re

OLDEST = {"torch": "2.6", "transformers": "5.13"}


def check_versions(installed: dict[str, str]) -> None:
    """Refuse what is too old.

    Args:
        installed: The version of each package.

    Raises:
        ImportError: A version is older than was tested; the message says what to do.

    >>> check_versions({"torch": "2.13.0+cpu", "transformers": "4.57.6"})
    Traceback (most recent call last):
        ...
    ImportError: transformers 4.57.6 is too old: bertviz needs 5.13 or later. Install it with: pip install --upgrade "transformers>=5.13"
    """  # noqa: E501
    for name, oldest in OLDEST.items():
        version = installed.get(name, oldest)
        if _numbers(version) < _numbers(oldest):
            raise ImportError(
                f"{name} {version} is too old: bertviz needs {oldest} or later. Install it with:"
                f' pip install --upgrade "{name}>={oldest}"'
            )


def installed_versions() -> dict[str, str]:
    """The version of each package that has one here."""
    found = {}
    for name in OLDEST:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:  # importing it says so
            continue
    return found


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version.partition("+")[0])[:2])


check_versions(installed_versions())
