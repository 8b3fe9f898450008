"""trace → view object: what was passed, options, display, the View classes."""
