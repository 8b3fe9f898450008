"""Our own arithmetic, whatever torch's settings are.

The problem. A notebook may have a default dtype or device, be inside autocast, inference mode, or a
function mode of its own, and all of these change what ``a @ b`` or ``torch.zeros(3)`` gives: in our
code as well, where nobody wants it. Setting them back is not an option, as the default dtype
belongs to all threads.

So there are two habits. What computes is decorated with `plainly`, which holds for its own thread
alone; the user's model never is. And every new tensor is given its dtype and device, which
``tests/house/test_torch_settings.py`` checks.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

Result = TypeVar("Result")


def watched_functions() -> Any:
    """Whether this thread's function modes and tensor subclasses are asked."""
    import torch

    return torch._C._get_torch_function_state()  # type: ignore[attr-defined]


def watch_functions(state: Any) -> None:
    """Set what `watched_functions` said."""
    import torch

    if watched_functions() != state:
        torch._C._set_torch_function_state(state)  # type: ignore[attr-defined]


def plainly() -> Callable[[Callable[..., Result]], Callable[..., Result]]:
    """Decorate a function: it runs without autocast, gradients, inference and function modes.

    There is no form for ``with``. An interrupt may come between the steps of an exit that is
    written in Python, and would leave the rest undone. Here all is undone by torch's own guards,
    in C++, where none can come; they are nobody's attributes, so they end with the call even where
    their exit fails, or a traceback keeps its frame.

    >>> import torch
    >>> one = plainly()(lambda: torch.ones(1) @ torch.ones(1))
    >>> with torch.autocast("cpu"), torch.device("meta"):
    ...     one()
    tensor(1.)
    """

    def decorate(function: Callable[..., Result]) -> Callable[..., Result]:
        @functools.wraps(function)
        def plain(*args: Any, **kwargs: Any) -> Result:
            import torch

            functions = watched_functions()
            try:
                with (
                    # What is made in inference mode cannot be used outside of it. This guard also
                    # keeps whether there are gradients.
                    torch._C._InferenceMode(False),
                    # Both switch off what is set, for every device, and have no public form.
                    torch._C._DisableAutocast(),
                    torch._C.DisableTorchFunction(),
                ):
                    torch._C._set_grad_enabled(False)
                    return function(*args, **kwargs)
            finally:  # the last guard is the only one that does not end when it is dropped
                watch_functions(functions)

        return plain

    return decorate
