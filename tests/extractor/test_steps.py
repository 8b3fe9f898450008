"""The steps of a generation are joined: every row sees what its step saw, with the same bias."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from bertviz.extractor.generation import check_options, joined, read_tokens, sequences_of, stops_of
from bertviz.extractor.records import Record
from bertviz.trace import Formula
from bertviz.trace.masks import causal_mask

HEADS, LENGTH, SLOTS = 2, 6, 9


def numbers(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def steps(
    counts: list[int], *, cache: str = "growing", mask: str = "causal", bias: bool = False
) -> tuple[list[Record], list[Tensor]]:
    """Records of one attention, and the weights (heads, query, LENGTH) that each step had."""
    queries, keys = numbers(HEADS, LENGTH, 3), numbers(HEADS, LENGTH, 3, seed=1)
    added = numbers(HEADS, LENGTH, LENGTH, seed=2)
    records, weights, end = [], [], 0
    for count in counts:
        end += count
        first = max(0, end - 4) if cache == "window" else 0
        shown = slice(first, end)
        seen = causal_mask(count, end)[None, :, first:]
        if mask == "of heads":
            seen = (
                seen & (numbers(HEADS, LENGTH, LENGTH, seed=3) > -0.5)[:, end - count : end, shown]
            )
            seen = seen | torch.eye(LENGTH, dtype=torch.bool)[None, end - count : end, shown]
        bias_part = added[:, end - count : end, shown]
        width = end - first
        if cache == "slots":  # a static cache, whose rest is masked
            pad = SLOTS - end
            seen = torch.cat([seen, torch.zeros(*seen.shape[:2], pad, dtype=torch.bool)], 2)
            bias_part = torch.cat([bias_part, numbers(*bias_part.shape[:2], pad)], 2)
            width = SLOTS
        terms: dict[str, Any] = {"mask": seen, "position_bias": bias_part if bias else None}
        if mask == "causal" and cache != "slots":
            terms.update(mask=None, causal=True)
        elif mask == "low numbers":
            low = torch.finfo(torch.float32).min
            terms.update(mask=torch.zeros(seen.shape).masked_fill(~seen, low))
        elif mask == "in the bias":
            low = torch.finfo(torch.float32).min
            whole = bias_part if bias else torch.zeros(1)
            terms.update(mask=None, position_bias=torch.where(seen, whole, low))
        own = queries[:, end - count : end]
        full = torch.cat([keys[:, shown], torch.zeros(HEADS, width - (end - first), 3)], 1)
        step = Formula(own, full, 0.5, **terms).weights([0, 1])
        found = torch.zeros(HEADS, count, LENGTH)
        found[:, :, shown] = step[..., : end - first]
        weights.append(found)
        formula = Formula(own, keys[:, end - count : end], 0.5, **terms)
        records.append(
            Record("a", HEADS, (0, 1), (count, width), formula, offset=first, difference=0.1 * end)
        )
    return records, weights


@pytest.mark.parametrize("counts", [[3, 1, 1, 1], [1] * 6, [4, 2], [2, 3, 1]])
@pytest.mark.parametrize("cache", ["growing", "slots", "window"])
@pytest.mark.parametrize("mask", ["causal", "bool", "low numbers", "in the bias", "of heads"])
@pytest.mark.parametrize("bias", [True, False])
def test_every_row_has_the_weights_of_its_step(
    counts: list[int], cache: str, mask: str, bias: bool
) -> None:
    if cache == "window" and max(counts) > 1 and mask == "causal":
        mask = "bool"  # what a window hides of a step of several queries is a mask
    records, weights = steps(counts, cache=cache, mask=mask, bias=bias)
    [whole] = joined(records)
    assert whole.shape == whole.formula.shape == (LENGTH, LENGTH)
    found = whole.formula.weights([0, 1])
    torch.testing.assert_close(found, torch.cat(weights, 1), atol=1e-6, rtol=0)
    assert whole.difference == pytest.approx(0.1 * LENGTH)
    plain = cache != "window" and mask != "of heads"
    assert whole.formula.causal is plain
    assert (whole.formula.mask is None) is plain
    assert (whole.formula.position_bias is not None) is bias


def test_one_step_is_left_as_it_is() -> None:
    [record], _ = steps([6])
    [whole] = joined([record])
    assert whole is record
    assert joined([]) == []


def test_what_was_compared_in_some_steps_only_was_not_compared() -> None:
    records, _ = steps([3, 3])
    records[1].difference = None
    assert joined(records)[0].difference is None


def test_attentions_are_joined_by_path_kind_and_order() -> None:
    places = [("a", False, 0), ("a", True, 0), ("a", False, 1), ("b", False, 0)]
    made = [
        Record(path, 1, (0,), (1, end), formula, cross=cross, order=order, offset=0)
        for end in (1, 2)
        for path, cross, order in places
        for formula in [Formula(torch.ones(1, 1, 2), torch.ones(1, 1, 2), 1.0)]
    ]
    for record in made:
        if record.cross:  # all keys are there from the first step on
            record.shape = (1, 3)
            record.formula = Formula(torch.ones(1, 1, 2), torch.ones(1, 3, 2), 1.0)
    whole = joined(made)
    assert [(each.path, each.cross, each.order) for each in whole] == places
    assert [each.shape for each in whole] == [(2, 2), (2, 3), (2, 2), (2, 2)]


def test_equal_masks_and_biases_of_layers_are_shared() -> None:
    both = []
    for path in "abc":
        records, _ = steps([3, 3], cache="window", mask="bool", bias=True)
        for record in records:
            record.path = path
        both += records
    both[-1].formula.position_bias[0, 0, 0] += 1  # type: ignore[index]
    one, two, three = joined(both)
    assert one.formula.mask is two.formula.mask is three.formula.mask
    assert one.formula.position_bias is two.formula.position_bias
    assert three.formula.position_bias is not two.formula.position_bias


def test_the_tokens_that_were_read_and_where_a_text_ends() -> None:
    sequences = torch.tensor([[5, 2, 6, 2, 7, 2, 8], [5, 6, 7, 8, 9, 9, 2], [2, 2, 2, 2, 2, 2, 2]])
    ids, counts = read_tokens(sequences, 6, 2, {2, 3})
    assert torch.equal(ids, sequences[:, :6])
    assert counts.tolist() == [[1, 1, 1, 1, 0, 0], [1] * 6, [1, 1, 1, 0, 0, 0]]
    assert read_tokens(sequences, 6, 6, {2})[1].all()
    assert read_tokens(sequences, 6, 2, set())[1].all()
    assert read_tokens(sequences, 6, 0, {8})[1].tolist()[1] == [1, 1, 1, 1, 0, 0]
    assert sequences_of(sequences) is sequences
    assert sequences_of(SimpleNamespace(sequences=sequences)) is sequences


def model(**defaults: Any) -> Any:
    made: Any = nn.Identity()
    made.generation_config = SimpleNamespace(eos_token_id=4, **defaults)
    made.generate = lambda **_: None
    return made


def test_the_tokens_that_end_a_text() -> None:
    assert stops_of(model(), {}) == {4}
    assert stops_of(model(), {"eos_token_id": 5}) == {5}
    assert stops_of(model(), {"eos_token_id": [5, 6]}) == {5, 6}
    assert stops_of(model(), {"eos_token_id": None}) == set()
    own = SimpleNamespace(eos_token_id=(7, 8))
    assert stops_of(model(), {"generation_config": own}) == {7, 8}
    assert stops_of(model(), {"generation_config": SimpleNamespace()}) == set()


@pytest.mark.parametrize(
    ("defaults", "options", "message"),
    [
        ({}, {"num_beams": 2}, "num_beams=2"),
        ({"num_beams": 3}, {}, "num_beams=3"),
        ({}, {"num_return_sequences": 2}, "num_return_sequences=2"),
        ({}, {"num_beam_groups": 2}, "num_beam_groups=2"),
        ({}, {"prompt_lookup_num_tokens": 3}, "tokens are guessed"),
        ({"penalty_alpha": 0.5}, {}, "generate has penalty_alpha"),
        ({}, {"use_cache": False}, "use_cache=False"),
        ({}, {"generation_config": SimpleNamespace(num_beams=4)}, "num_beams=4"),
    ],
)
def test_rows_that_could_not_be_followed(
    defaults: dict[str, Any], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        check_options(model(**defaults), options)


def test_what_can_be_followed() -> None:
    for defaults, options in (
        ({}, {}),
        ({"num_beams": 3}, {"num_beams": 1}),
        ({"num_beams": None}, {"use_cache": True, "max_new_tokens": 3}),
        ({"num_beams": 3}, {"generation_config": SimpleNamespace(num_beams=1)}),
    ):
        assert check_options(model(**defaults), options) == options
    with pytest.raises(TypeError, match="generate is a list: expected a dict"):
        check_options(model(), [])
    with pytest.raises(TypeError, match="Identity cannot generate"):
        check_options(nn.Identity(), {})
    attribute = model()
    attribute.generate = 3
    with pytest.raises(TypeError, match="Identity cannot generate"):
        check_options(attribute, {})
    cannot = model()
    cannot.can_generate = lambda: False
    with pytest.raises(TypeError, match="Identity cannot generate"):
        check_options(cannot, {})
