"""Traces → view objects: what a call was given, the options it chose, and how a view is shown."""
