"""Mutants that change nothing anybody could see, with the reason; a run leaves them out."""

from __future__ import annotations

from tests.mutations.mutating import Mutant

BEYOND = "typed arrays ignore what is written beyond their end, and there is nothing to read"
COUNTED = "what is read or written once more than needed is not used"
SIGNS = "signs are 1 or -1, never 0"
MEMORY = "how much is computed at a time; results are the same"
SAME = "an equal number takes the place of itself"

# By file: how its line begins, what the mutant replaces, what stands there instead, and why nothing
# changes. By the line, because the same number or comparison may matter elsewhere.
EQUIVALENT: dict[str, list[tuple[str, str, str, str]]] = {
    "bertviz/js/state.js": [
        ("if (next.mass !== undefined &&", "next.mass < 1", "(next.mass <= 1)", "1 is made 1"),
        ("const count = layer?.neurons", "0", "1", "then the only neuron is off, and is put on"),
    ],
    "bertviz/extractor/provenance.py": [
        (
            "seen.add(number)",
            "seen.add(number)",
            "pass",
            "speed alone: there are no cycles",
        ),
    ],
    "bertviz/extractor/checks.py": [
        (
            "processes.append(int(parameter.device_mesh.size()))",
            "int(parameter.device_mesh.size())",
            "parameter.device_mesh.size()",
            "an int",
        ),
    ],
    "bertviz/extractor/drawing.py": [
        (
            "super().__init__()",
            "super().__init__()",
            "super()",
            "it sets nothing",
        ),
    ],
    "bertviz/extractor/operations/__init__.py": [
        (
            "super().__init__()",
            "super().__init__()",
            "super()",
            "it sets nothing",
        ),
    ],
    "bertviz/extractor/mirror/tensors.py": [
        (
            "return int(tensor.untyped_storage()._cdata)",
            "int(tensor.untyped_storage()._cdata)",
            "tensor.untyped_storage()._cdata",
            "an int",
        ),
        ("MOST_BYTES = 16 << 20  # of a buffer that is copied", "20", "21", "a limit of memory"),
        ("MOST_BYTES_TOGETHER = 256 << 20", "20", "21", "a limit of memory"),
    ],
    "bertviz/analysis/patterns/files.py": [
        (
            "for name in _shapes(sums.weight.shape[-1], 0, 0, 0, 0):",
            "0",
            "1",
            "names alone are read",
        ),
    ],
    "bertviz/arrays/checks.py": [
        (
            "if not bool(((flags == 0) | (flags == 1)).all()):",
            "bool(((flags == 0) | (flags == 1)).all())",
            "((flags == 0) | (flags == 1)).all()",
            "only its truth is asked for",
        ),
    ],
    "bertviz/extractor/comparison.py": [
        (
            "places = list(range(first, min(first + step, formula.num_heads)))",
            "list(range(first, min(first + step, formula.num_heads)))",
            "range(first, min(first + step, formula.num_heads))",
            "a sequence of the same numbers",
        ),
        (
            "WEIGHTS = 1 << 26  # how many are compared with the model's own weights",
            "26",
            "27",
            "a limit of time",
        ),
        (
            "AT_ONCE = 1 << 18  # weights that are computed at a time: as many as stay in a"
            " processor's cache",
            "18",
            "19",
            MEMORY,
        ),
        (
            "AT_ONCE_AFAR = 1 << 24  # likewise elsewhere, where each step costs more than its"
            " numbers",
            "24",
            "25",
            MEMORY,
        ),
    ],
    "bertviz/extractor/blocks.py": [
        (
            "return list({(skip.path, skip.order): skip for skip in reversed(skips)}.values())",
            "list({(skip.path, skip.order): skip for skip in reversed(skips)}.values())",
            "{(skip.path, skip.order): skip for skip in reversed(skips)}.values()",
            "it is only iterated over",
        ),
    ],
    "bertviz/extractor/recording.py": [
        ("count = int(queries.shape[0])", "int(queries.shape[0])", "queries.shape[0]", "an int"),
    ],
    "bertviz/extractor/operations/reading.py": [
        (
            "return float(off) <= tolerated(coarser(record.multiplied_in, own.dtype), 0.0)",
            "float(off)",
            "off",
            "compared as a tensor",
        ),
    ],
    "bertviz/extractor/operations/products.py": [
        (
            "return bool(self.sizes) and not inside and outer",
            "bool(self.sizes)",
            "self.sizes",
            "only its truth is asked for",
        ),
        (
            'plain = torch.empty(shape, dtype=torch.float32, device="meta")',
            'torch.empty(shape, dtype=torch.float32, device="meta")',
            "torch.empty(shape, dtype=torch.float32)",
            "memory that nobody reads",
        ),
    ],
    "bertviz/extractor/surroundings.py": [
        (
            "if current is None or id(current) in seen:",
            "id(current)",
            "current",
            "errors are told by identity",
        ),
        ("seen.add(id(current))", "id(current)", "current", "errors are told by identity"),
    ],
    "bertviz/extractor/records.py": [
        (
            "scale = values.abs().amax().float()",
            "values.abs().amax().float()",
            "values.abs().amax()",
            "a quotient of the same numbers",
        ),
    ],
    "bertviz/extractor/operations/rules.py": [
        (
            "if not isinstance(input, Tensor) or input.ndim < 2 or call.known(input) is not None:",
            "not isinstance(input, Tensor) or input.ndim < 2 or call.known(input) is not None",
            "(input.ndim < 2 or call.known(input) is not None)",
            "torch takes nothing else",
        ),
    ],
    "bertviz/js/data/attention.js": [
        (
            "for (let key = 0, i = 0; key < keyCount; key++) {",
            "key < keyCount",
            "(key <= keyCount)",
            BEYOND,
        ),
        (
            "for (let key = 0; key < keyCount; key++) row[key] = bias.data[",
            "key < keyCount",
            "(key <= keyCount)",
            BEYOND,
        ),
        (
            "for (let query = 0; query < queryCount; query++) {",
            "query < queryCount",
            "(query <= queryCount)",
            BEYOND,
        ),
        (
            "for (const score of scores) if (score > max) max = score;",
            "score > max",
            "(score >= max)",
            SAME,
        ),
    ],
    "bertviz/js/data/what_if.js": [
        (
            "for (let n = 0, i = key * headDim; n < headDim; n++, i++) {",
            "n < headDim",
            "(n <= headDim)",
            BEYOND,
        ),
    ],
    "bertviz/js/data/binary.js": [
        ("for (let i = 0; i < size; i++) {", "i < size", "(i <= size)", BEYOND),
    ],
    "bertviz/js/data/cells.js": [
        ("for (let c = 0; c < keys; c++) wide[columnOf(c)]++;", "c < keys", "(c <= keys)", BEYOND),
        ("for (let r = 0; r < queries; r++) {", "r < queries", "(r <= queries)", BEYOND),
        (
            "for (let r = 0; r < queries; r++) counts[rowOf(r)]++;",
            "r < queries",
            "(r <= queries)",
            BEYOND,
        ),
        (
            "if (rows < queries) {",
            "rows < queries",
            "(rows <= queries)",
            "each row is then divided by 1",
        ),
        (
            "if (!even[r]) continue;",
            "continue;",
            ";",
            "rows without hidden mass are skipped for speed",
        ),
        (
            "for (const value of values) if (Math.abs(value) > max) max = Math.abs(value);",
            "Math.abs(value) > max",
            "(Math.abs(value) >= max)",
            SAME,
        ),
    ],
    "bertviz/js/data/differences.js": [
        (
            "export const headCount = (signs) => signs.filter((sign) => sign > 0).length;",
            "sign > 0",
            "(sign >= 0)",
            SIGNS,
        ),
        (
            "for (const weight of weights.weight) if (weight > most) most = weight;",
            "weight > most",
            "(weight >= most)",
            SAME,
        ),
    ],
    "bertviz/js/data/edges.js": [
        (
            "spreads ??= spreadsOf(part);",
            "spreads ??= spreadsOf(part)",
            "spreads = spreadsOf(part)",
            "speed",
        ),
        (
            "for (let c = 0; c < keys.length; c++) {",
            "c < keys.length",
            "(c <= keys.length)",
            COUNTED,
        ),
        (
            "if (weights.hidden[row] <= SPREAD) return;",
            "weights.hidden[row] <= SPREAD",
            "(weights.hidden[row] < SPREAD)",
            "no float32 is equal to 0.005",
        ),
    ],
    "bertviz/js/data/head_weights.js": [
        (
            "for (let query = 0, i = 0; query < queries; query++) {",
            "query < queries",
            "(query <= queries)",
            BEYOND,
        ),
    ],
    "bertviz/js/data/missing.js": [
        (
            "for (let r = 0; r < queries.length; r++) {",
            "r < queries.length",
            "(r <= queries.length)",
            COUNTED,
        ),
        (
            "for (let c = 0; c < keys.length; c++) {",
            "c < keys.length",
            "(c <= keys.length)",
            COUNTED,
        ),
    ],
    "bertviz/js/data/payload.js": [
        (
            "if (scale !== undefined) for (let row = 0; row < rows; row++) hidden[row] *= scale;",
            "row < rows",
            "(row <= rows)",
            BEYOND,
        ),
        ("for (let row = 0; row < rows; row++) {", "row < rows", "(row <= rows)", BEYOND),
    ],
    "bertviz/js/data/regroup.js": [
        ("for (let k = 0; k < keys; k++) {", "k < keys", "(k <= keys)", COUNTED),
    ],
    "bertviz/js/data/summaries.js": [
        ("else if (sign > 0) missing[i % means.length]++;", "sign > 0", "(sign >= 0)", SIGNS),
        (
            "if (count) perHead[i] = count < selected ? (perHead[i] * selected)",
            "count < selected",
            "(count <= selected)",
            "0 / 0 is NaN as well",
        ),
        (
            "if (count) means[r] = count < heads ? (means[r] * heads) / (heads - count) : NaN;",
            "count < heads",
            "(count <= heads)",
            "0 / 0 is NaN as well",
        ),
    ],
    "bertviz/js/data/value_cells.js": [
        (
            "for (let r = 0; r < shape.queries; r++) {",
            "r < shape.queries",
            "(r <= shape.queries)",
            BEYOND,
        ),
        (
            "for (const value of values) if (Math.abs(value) > max) max = Math.abs(value);",
            "Math.abs(value) > max",
            "(Math.abs(value) >= max)",
            SAME,
        ),
    ],
    "bertviz/analysis/patterns/scoring.py": [
        (
            "means = _Means.over(texts, places + [column + len(patterns) for column in places])",
            "column + len(patterns)",
            "(column - len(patterns))",
            "counted from the end, of twice as many columns",
        ),
    ],
    "bertviz/analysis/comparison/differences.py": [
        (
            "AT_ONCE = 4_000_000  # weights of each trace computed at a time",
            "4_000_000",
            "8000000",
            MEMORY,
        ),
    ],
    "bertviz/analysis/patterns/counting.py": [
        (
            "AT_ONCE = 1_000_000  # weights computed at a time: buffers that stay in the cache",
            "1_000_000",
            "2000000",
            MEMORY,
        ),
    ],
    "bertviz/analysis/patterns/predictive.py": [
        ("LOGITS_AT_ONCE = 20_000_000", "20_000_000", "40000000", MEMORY),
    ],
    "bertviz/trace/windows.py": [
        ("ROWS = 512  # computed at a time, for one head", "512", "1024", MEMORY),
    ],
    "bertviz/trace/layer.py": [
        ("def unseen_keys(self, step: int = 512) -> Tensor:", "512", "1024", MEMORY),
    ],
    "bertviz/analysis/neurons/explaining.py": [
        (
            "yield [units[unit] for unit in draw.tolist()]",
            "draw.tolist()",
            "draw",
            "a tensor of one integer is an index like any other",
        ),
    ],
    "bertviz/analysis/neurons/marking.py": [
        (
            "weights = layer.weights(head)[0].cpu()",
            "layer.weights(head)[0].cpu()",
            "layer.weights(head)[0]",
            "seen only on an accelerator",
        ),
    ],
}


def is_equivalent(mutant: Mutant) -> bool:
    """Whether a mutant is listed here."""
    return any(matches(mutant, entry) for entry in EQUIVALENT.get(mutant.path, []))


def matches(mutant: Mutant, entry: tuple[str, str, str, str]) -> bool:
    """Whether an entry is about a mutant."""
    text, was, now, _ = entry
    return mutant.text.startswith(text) and (mutant.was, mutant.now) == (was, now)
