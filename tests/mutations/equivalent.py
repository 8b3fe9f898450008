"""Mutants that change nothing anybody could see, with the reason; a run leaves them out."""

from __future__ import annotations

DATA = "bertviz/js/data"
BEYOND = "typed arrays ignore what is written beyond their end, and there is nothing to read"
COUNTED = "what is read or written once more than needed is not used"
SIGNS = "signs are 1 or -1, never 0"
MEMORY = "how much is computed at a time; results are the same"
SAME = "an equal number takes the place of itself"

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
    (f"{DATA}/attention.js", "key < keyCount", "(key <= keyCount)"): BEYOND,
    (f"{DATA}/attention.js", "query < queryCount", "(query <= queryCount)"): BEYOND,
    (f"{DATA}/attention.js", "score > max", "(score >= max)"): SAME,
    (f"{DATA}/what_if.js", "n < headDim", "(n <= headDim)"): BEYOND,
    (f"{DATA}/binary.js", "i < size", "(i <= size)"): BEYOND,
    (f"{DATA}/cells.js", "c < keys", "(c <= keys)"): BEYOND,
    (f"{DATA}/cells.js", "r < queries", "(r <= queries)"): BEYOND,
    (f"{DATA}/cells.js", "rows < queries", "(rows <= queries)"): "each row is then divided by 1",
    (f"{DATA}/cells.js", "continue;", ";"): "rows without hidden mass are skipped for speed",
    (f"{DATA}/cells.js", "Math.abs(value) > max", "(Math.abs(value) >= max)"): SAME,
    (f"{DATA}/differences.js", "sign > 0", "(sign >= 0)"): SIGNS,
    (f"{DATA}/differences.js", "weight > most", "(weight >= most)"): SAME,
    (f"{DATA}/edges.js", "spreads ??= spreadsOf(part)", "spreads = spreadsOf(part)"): "speed",
    (f"{DATA}/edges.js", "c < keys.length", "(c <= keys.length)"): COUNTED,
    (
        f"{DATA}/edges.js",
        "weights.hidden[row] <= SPREAD",
        "(weights.hidden[row] < SPREAD)",
    ): "no float32 is equal to 0.005",
    (f"{DATA}/head_weights.js", "query < queries", "(query <= queries)"): BEYOND,
    (f"{DATA}/missing.js", "r < queries.length", "(r <= queries.length)"): COUNTED,
    (f"{DATA}/missing.js", "c < keys.length", "(c <= keys.length)"): COUNTED,
    (f"{DATA}/payload.js", "row < rows", "(row <= rows)"): BEYOND,
    (f"{DATA}/regroup.js", "k < keys", "(k <= keys)"): COUNTED,
    (f"{DATA}/summaries.js", "sign > 0", "(sign >= 0)"): SIGNS,
    (f"{DATA}/summaries.js", "count < selected", "(count <= selected)"): "0 / 0 is NaN as well",
    (f"{DATA}/summaries.js", "count < heads", "(count <= heads)"): "0 / 0 is NaN as well",
    (f"{DATA}/value_cells.js", "r < queries", "(r <= queries)"): BEYOND,
    (f"{DATA}/value_cells.js", "c < keys", "(c <= keys)"): BEYOND,
    (f"{DATA}/value_cells.js", "Math.abs(value) > max", "(Math.abs(value) >= max)"): SAME,
    (
        "bertviz/analysis/comparison/comparison.py",
        'zip("ab", sides, strict=True)',
        "zip('ab', sides)",
    ): "there are always two sides",
    ("bertviz/analysis/comparison/differences.py", "4_000_000", "8000000"): MEMORY,
    ("bertviz/analysis/patterns/counting.py", "1_000_000", "2000000"): MEMORY,
    ("bertviz/analysis/patterns/predictive.py", "20_000_000", "40000000"): MEMORY,
    ("bertviz/trace/windows.py", "512", "1024"): MEMORY,
    ("bertviz/trace/layer.py", "512", "1024"): MEMORY,
    (
        "bertviz/analysis/neurons/explaining.py",
        "draw.tolist()",
        "draw",
    ): "a tensor of one integer is an index like any other",
    (
        "bertviz/analysis/neurons/marking.py",
        "layer.weights(head)[0].cpu()",
        "layer.weights(head)[0]",
    ): "seen only on an accelerator",
}
