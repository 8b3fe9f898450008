"""Our own arithmetic, whatever torch's settings are.

The problem. A notebook may have a default dtype or device, be inside autocast, inference mode, or a
function mode of its own, and all of these change what ``a @ b`` or ``torch.zeros(3)`` gives: in our
code as well, where nobody wants it. Setting them back is not an option, as the default dtype
belongs to all threads.

So there are two habits. What computes runs `plainly`, which holds for its own thread alone; the
user's model never does. And every new tensor is given its dtype and device, which
``tests/house/test_torch_settings.py`` checks.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any, TypeVar

Result = TypeVar("Result")


class plainly:  # noqa: N801, it is used like a function
    """Neither autocast, gradients, inference mode nor function modes; also a decorator.

    No generator: one that an interrupt suspends cleans up when the traceback is dropped, and would
    then put back what was set inside a capture.

    >>> import torch
    >>> with torch.autocast("cpu"), torch.device("meta"), plainly():
    ...     torch.ones(1) @ torch.ones(1)
    tensor(1.)
    """

    def __call__(self, function: Callable[..., Result]) -> Callable[..., Result]:
        """The same function, run plainly."""

        @functools.wraps(function)
        def plain(*args: Any, **kwargs: Any) -> Result:
            import torch

            grad = torch.is_grad_enabled()
            with (
                # What is made in inference mode cannot be used outside of it.
                torch._C._InferenceMode(False),
                # Both switch off what is set, for every device, and have no public form of one.
                torch._C._DisableAutocast(),
                torch._C.DisableTorchFunction(),
            ):
                try:
                    torch._C._set_grad_enabled(False)
                    return function(*args, **kwargs)
                finally:
                    torch._C._set_grad_enabled(grad)

        return plain

    def __enter__(self) -> None:
        import torch

        self._grad = torch.is_grad_enabled()
        self._guards: list[Any] = []
        _here().append(self)
        try:
            # A guard works until it is dropped, which a traceback could delay: it is kept at once.
            for kind, given in (
                (torch._C._InferenceMode, (False,)),
                (torch._C._DisableAutocast, ()),
                (torch._C.DisableTorchFunction, ()),
            ):
                self._guards.append(kind(*given))
                self._guards[-1].__enter__()
            torch._C._set_grad_enabled(False)
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_: object) -> None:
        import torch

        while self._guards:
            self._guards[-1].__exit__(None, None, None)  # nothing happens if it was not entered
            self._guards.pop()
        torch._C._set_grad_enabled(self._grad)
        while self in _here():
            _here().pop()


_entered = threading.local()


def _here() -> list[plainly]:
    """What this thread has entered and not left."""
    try:
        found: list[plainly] = _entered.stack
    except AttributeError:
        found = _entered.stack = []
    return found


def depth() -> int:
    """How many contexts this thread is in."""
    return len(_here())


def leave(since: int) -> None:
    """Leave all but the first contexts: an interrupt may have kept some from being left."""
    while len(_here()) > since:
        _here()[-1].__exit__()
