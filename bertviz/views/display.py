"""Showing a view at once, as BertViz did, wherever the code runs.

The problem. ``head_view(...)`` in the middle of a cell or in a loop displays its picture and
returns None; the same call in a plain script, or in IPython in a terminal, has nowhere to display
it, and would silently do nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias, TypeVar, get_args

from bertviz.errors import short, warn_caller
from bertviz.web import page

if TYPE_CHECKING:
    from bertviz.views.view import View

    AnyView = TypeVar("AnyView", bound=View)

HtmlAction: TypeAlias = Literal["view", "return"]

# Databricks refuses an output over 10 MB by default, and Colab did at about that size.
LARGE_BYTES = 10_000_000


def check_html_action(html_action: object) -> None:
    """Refuse anything but the two values; called before the work that makes the picture.

    Raises:
        ValueError: ``html_action`` is neither "view" nor "return".
    """
    if not isinstance(html_action, str) or html_action not in get_args(HtmlAction):
        raise ValueError(
            f"html_action={short(html_action)} is unknown: expected 'view' (show the picture at"
            " once) or 'return' (get the view object)."
        )


def finish(view: AnyView, html_action: HtmlAction) -> AnyView | None:
    """Display a view at once and give None, or give the view.

    Where nothing can show HTML (a plain script, IPython in a terminal), a warning says what to do
    instead. The warning names the line that called the caller.
    """
    if html_action == "return":
        return view
    try:
        import IPython.display
        from IPython.core.getipython import get_ipython
    except ImportError:
        _warn_unseen(view)
        return None
    shell = get_ipython()
    # Looked up at the time of the call: marimo has no shell and puts its own `display` here, under
    # the name and module of IPython's, so only the function's globals reveal its origin.
    display = IPython.display.display
    alone = shell is None and display.__globals__["__name__"].startswith("IPython.")
    if alone or type(shell).__name__ == "TerminalInteractiveShell":
        _warn_unseen(view)
    else:
        display(view)  # type: ignore[no-untyped-call]
    return None


def warn_if_large(view: View, size: int) -> None:
    """Warn if an output of this size may be refused."""
    if size >= LARGE_BYTES:
        warn_caller(
            f"This {page.NAMES[view.kind]} is {size / 1e6:.1f} MB of HTML; Colab and Databricks may"
            f" refuse an output over {LARGE_BYTES / 1e6:.0f} MB. Include fewer layers or heads,"
            " such as include_layers=[0, 1] or include_heads=[0, 1], pass a shorter text, or save a"
            ' file, .save("view.html"), which may be of any size.'
        )


def _warn_unseen(view: View) -> None:
    name = page.NAMES[view.kind].replace(" ", "_")
    warn_caller(
        f"{name} has nowhere to show its picture: this is not a notebook. Save it instead:"
        f' {name}(..., html_action="return").save("{name}.html"), and open the file in a browser.'
    )
