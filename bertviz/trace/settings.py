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

import contextlib
from collections.abc import Iterator


@contextlib.contextmanager
def plainly() -> Iterator[None]:
    """Neither autocast, gradients, inference mode nor function modes; also a decorator.

    >>> import torch
    >>> with torch.autocast("cpu"), torch.device("meta"), plainly():
    ...     torch.ones(1) @ torch.ones(1)
    tensor(1.)
    """
    import torch

    with (
        # What is made in inference mode cannot be used outside of it.
        torch.inference_mode(False),
        torch.no_grad(),
        # Both switch off what is set, for every device, and have no public form of one.
        torch._C._DisableAutocast(),
        torch._C.DisableTorchFunction(),
    ):
        yield
