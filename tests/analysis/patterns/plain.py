"""Scores and nulls of all patterns in plain loops, to check the counting against."""

from __future__ import annotations

import dataclasses
import math
import statistics
from typing import Any

import pytest

from bertviz import AttentionTrace, find_patterns
from bertviz.demo import SENTENCE_A, SENTENCE_B

TEXT, PAIR = SENTENCE_A, SENTENCE_B


NAMES = (
    "next token",
    "previous token",
    "same token",
    "same token elsewhere",
    "same token in the other sentence",
    "same word",
    "predictive words",
    "delimiters",
    "first token",
    "bag of words",
    "self",
    "local window",
    "induction",
)


CONTENT = {
    "same token",
    "same token elsewhere",
    "same token in the other sentence",
    "same word",
    "induction",
}


@dataclasses.dataclass
class Plain:
    """A block in lists, in tokens or words."""

    query: list[str]
    key: list[str]
    query_sentence: Any
    key_sentence: Any
    query_word: list[int]
    key_word: list[int]
    query_special: list[bool]
    key_special: list[bool]
    shared: bool
    weights: list[list[float]]
    seen: list[list[bool]]

    def where(self, query: int) -> int:
        """A query's position among the keys."""
        return query + len(self.key) - len(self.query)

    def counts(self, pattern: str, q: int, k: int) -> bool:
        """Whether a query–key pair belongs to a pattern."""
        token, other = self.query[q], self.key[k]
        apart = k - self.where(q)
        same = token == other and not self.query_special[q]
        stop = (self.key_special[k] and k > 0) or other in (".", ",")
        if not self.shared and pattern not in (
            "same token",
            "delimiters",
            "first token",
            "bag of words",
        ):
            return False
        match pattern:
            case "next token":
                return apart == 1
            case "previous token":
                return apart == -1
            case "self":
                return apart == 0
            case "local window":
                return abs(apart) <= 2
            case "first token":
                return k == 0
            case "same token":
                return same
            case "same token elsewhere":
                return same and apart != 0
            case "same token in the other sentence":
                if self.query_sentence is None:
                    return False
                return same and self.query_sentence[q] != self.key_sentence[k]
            case "same word":
                return self.query_word[q] == self.key_word[k] and apart != 0
            case "delimiters":
                return stop
            case "bag of words":
                own = not self.shared or self.query_sentence is None
                own = own or self.query_sentence[q] == self.key_sentence[k]
                return own and not (stop or self.key_special[k] or self.query_special[q])
            case "induction":
                follows = k > 0 and self.key[k - 1] == token and apart < 0
                return follows and not self.query_special[q]
        raise AssertionError(pattern)

    def renormalized(self) -> tuple[Plain, float]:
        """Without special tokens and the first token, and the mean weight that is left."""
        left = [
            [s and k > 0 and not self.key_special[k] for k, s in enumerate(row)]
            if not self.query_special[q]
            else [False] * len(row)
            for q, row in enumerate(self.seen)
        ]
        rows, kept = [], []
        for weights, seen in zip(self.weights, left, strict=True):
            total = sum(w for w, s in zip(weights, seen, strict=True) if s)
            if any(seen):
                kept.append(total)
            rows.append([w / total if s else 0.0 for w, s in zip(weights, seen, strict=True)])
        part = dataclasses.replace(self, weights=rows, seen=left)
        return part, statistics.fmean(kept) if kept else 0.0

    def at_distance(self) -> dict[int, list[float]]:
        """The weights of all unmasked pairs, by distance."""
        found: dict[int, list[float]] = {}
        for q, row in enumerate(self.seen):
            for k, seen in enumerate(row):
                if seen:
                    found.setdefault(k - (self.where(q) if self.shared else q), []).append(
                        self.weights[q][k]
                    )
        return found

    def queries_of(self, pattern: str) -> dict[int, list[int]]:
        """The queries for which a pattern exists, and its keys."""
        found = {}
        for q, row in enumerate(self.seen):
            unmasked = [k for k, seen in enumerate(row) if seen]
            cells = [k for k in unmasked if self.counts(pattern, q, k)]
            if 0 < len(cells) < len(unmasked) and (pattern != "bag of words" or len(cells) > 1):
                found[q] = cells
        return found

    def score(self, pattern: str) -> tuple[float, float, float, int] | None:
        """Score, uniform null, null by distance, number of queries."""
        at: dict[int, list[float]] = {}
        for q, row in enumerate(self.seen):
            for k, seen in enumerate(row):
                if seen:
                    at.setdefault(k - q, []).append(self.weights[q][k])
        scores, uniform, distance = [], [], []
        for q, row in enumerate(self.seen):
            unmasked = [k for k, seen in enumerate(row) if seen]
            cells = [k for k in unmasked if self.counts(pattern, q, k)]
            if not 0 < len(cells) < len(unmasked) or (pattern == "bag of words" and len(cells) < 2):
                continue
            mass = sum(self.weights[q][k] for k in cells)
            if pattern == "bag of words":
                shares = [self.weights[q][k] / mass for k in cells]
                mass *= -sum(p * math.log(p) for p in shares if p) / math.log(len(cells))
            scores.append(mass)
            uniform.append(len(cells) / len(unmasked))
            distance.append(sum(statistics.fmean(at[k - q]) for k in cells))
        if not scores:
            return None
        return (*(statistics.fmean(x) for x in (scores, uniform, distance)), len(scores))


def pooled_null(texts: list[Plain], pattern: str) -> float | None:
    """The distance null over several texts: each from the others, as the formula says."""
    total, queries = 0.0, 0
    profiles = [text.at_distance() for text in texts]
    for number, text in enumerate(texts):
        others = [profile for place, profile in enumerate(profiles) if place != number]
        for q, cells in text.queries_of(pattern).items():
            queries += 1
            for k in cells:
                distance = k - (text.where(q) if text.shared else q)
                there = [w for profile in others for w in profile.get(distance, [])]
                total += statistics.fmean(there or profiles[number][distance])
    return total / queries if queries else None


def plain(block: Any, layer: Any, head: int, in_words: bool, padding: set[int]) -> Plain:
    """In lists, without padding as queries or keys."""
    weights = layer.weights(head)[0].tolist()
    if layer.queries is None:
        seen = [
            [block.kind != "decoder" or k <= q for k in range(len(r))]
            for q, r in enumerate(weights)
        ]
    else:
        seen = (layer.scores(head)[0] > -1e4).tolist()
    seen = [[s and q not in padding for s in row] for q, row in enumerate(seen)]
    found = Plain(
        query=list(block.query_tokens),
        key=list(block.key_tokens),
        query_sentence=block.query.sentences,
        key_sentence=block.key.sentences,
        query_word=list(block.query.words),
        key_word=list(block.key.words),
        query_special=list(block.query.special),
        key_special=list(block.key.special),
        shared=block.kind != "cross",
        weights=weights,
        seen=seen,
    )
    return merged(found) if in_words else found


def merged(tokens: Plain) -> Plain:
    """Words for subword tokens: the sum over keys, the mean over queries."""

    def groups(words: list[int]) -> list[list[int]]:
        return [[i for i, w in enumerate(words) if w == word] for word in dict.fromkeys(words)]

    def names(strings: list[str], places: list[list[int]]) -> list[str]:
        return ["".join(strings[i].removeprefix("##") for i in some) for some in places]

    def first(values: Any, places: list[list[int]]) -> Any:
        return None if values is None else [values[some[0]] for some in places]

    rows, columns = groups(tokens.query_word), groups(tokens.key_word)
    return Plain(
        query=names(tokens.query, rows),
        key=names(tokens.key, columns),
        query_sentence=first(tokens.query_sentence, rows),
        key_sentence=first(tokens.key_sentence, columns),
        query_word=list(range(len(rows))),
        key_word=list(range(len(columns))),
        query_special=first(tokens.query_special, rows),
        key_special=first(tokens.key_special, columns),
        shared=tokens.shared,
        weights=[
            [statistics.fmean(sum(tokens.weights[q][k] for k in c) for q in r) for c in columns]
            for r in rows
        ],
        seen=[[any(tokens.seen[q][k] for q in r for k in c) for c in columns] for r in rows],
    )


def check(trace: AttentionTrace, in_words: bool = False, padding: set[int] | None = None) -> int:
    """Compare every score of a trace with plain loops; how many there were."""
    scores = find_patterns(trace, words=in_words)
    compared = 0
    for row in scores.scores:
        block = trace.blocks[row.block]
        layer = block.layer(row.layer)
        whole = plain(block, layer, row.head, in_words, padding or set())
        rest, kept = whole.renormalized()
        for found, given in ((row.whole, whole), (row.renormalized, rest)):
            if row.pattern == "predictive words" or (in_words and row.pattern == "same word"):
                assert found is None
                continue
            expected = given.score(row.pattern)
            where = (row, expected)
            if expected is None:
                assert found is None, where
                continue
            assert found is not None, where
            score, uniform, distance, queries = expected
            assert found.queries == queries, where
            assert found.score == pytest.approx(score, abs=2e-5), where
            assert found.uniform == pytest.approx(uniform, abs=1e-6), where
            if row.pattern in CONTENT:
                assert found.by_distance == pytest.approx(distance, abs=2e-5), where
                assert found.null == max(found.uniform, found.by_distance or 0)
            else:
                assert found.by_distance is None
                assert found.null == found.uniform
            assert found.spread is None
            compared += 1
        if row.renormalized is not None:
            assert row.kept == pytest.approx(kept, abs=1e-5)
        else:
            assert row.kept is None
    return compared
