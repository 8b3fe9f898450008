"""Mutants that change nothing anybody could see, with the reason; a run leaves them out."""

from __future__ import annotations

# (path, what the mutant replaces, what stands there instead): why nothing changes
EQUIVALENT: dict[tuple[str, str, str], str] = {
    ("bertviz/extractor/mirror/tensors.py", "20", "21"): "a limit of memory",
    ("bertviz/extractor/comparison.py", "26", "27"): "a limit of time",
    ("bertviz/extractor/comparison.py", "21", "22"): "a limit of memory",
    (
        "bertviz/extractor/blocks.py",
        "list({(skip.path, skip.order): skip for skip in reversed(skips)}.values())",
        "{(skip.path, skip.order): skip for skip in reversed(skips)}.values()",
    ): "it is only iterated over",
    ("bertviz/extractor/recording.py", "int(queries.shape[0])", "queries.shape[0]"): "an int",
    ("bertviz/extractor/operations/reading.py", "float(off)", "off"): "compared as a tensor",
    ("bertviz/extractor/operations/products.py", "bool(self.sizes)", "self.sizes"): (
        "only its truth is asked for"
    ),
    (
        "bertviz/extractor/operations/products.py",
        'torch.empty(shape, dtype=torch.float32, device="meta")',
        "torch.empty(shape, dtype=torch.float32)",
    ): "memory that nobody reads",
    ("bertviz/extractor/surroundings.py", "id(current)", "current"): "errors are told by identity",
    ("bertviz/extractor/records.py", "values.abs().amax().float()", "values.abs().amax()"): (
        "a quotient of the same numbers"
    ),
}
