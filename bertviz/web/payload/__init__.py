"""AttentionTrace → JSON: what travels from Python to the page.

``schema`` defines it, ``build`` makes it, and ``state`` says what a view can show.
"""

from bertviz.web.payload.build import build
from bertviz.web.payload.schema import VERSION, Theme, ViewName
from bertviz.web.payload.state import STATE, HeadState, ModelState, NeuronState
from bertviz.web.payload.state_check import check_state

__all__ = [
    "STATE",
    "VERSION",
    "HeadState",
    "ModelState",
    "NeuronState",
    "Theme",
    "ViewName",
    "build",
    "check_state",
]
