"""Whatever a page's script passes to a view's `set`, the view stays whole."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest

from bertviz import AttentionTrace, HeadView, ModelView, NeuronView, compare
from tests.browser.opened import Opened
from tests.helpers import TOKENS, a_head_view, weights

# Junk, alone and as values of every key; set(…), a frame, and what is wrong then.
JUNK = r"""async ([seed, rounds]) => {
  let state = seed;
  const random = () => (state = (state * 1664525 + 1013904223) % 2 ** 32) / 2 ** 32;
  const pick = (list) => list[Math.floor(random() * list.length)];
  const fail = () => { throw new Error("never read"); };
  const cycle = [1];
  cycle.push(cycle);
  const hostile = { toJSON: fail, toString: fail, valueOf: fail };
  const single = [0, 1, 2, -0, -1, 1.5, NaN, Infinity, -Infinity, 2 ** 53, -1e308, 10n ** 40n,
    true, false, null, undefined, "", "0", "All", "A→B", "matrix", "entropy", "__proto__",
    "constructor", "toString", "\ud800", "x".repeat(99999), Symbol("s"), fail, /x/, new Date(NaN),
    document, window, new Map([[1, 1]]), new Set([1]), hostile, Object.create(null),
    new Number(1), new String("All")];
  const lists = [[], [0], [1], [2, 1, 1], [NaN, -1], ["0"], [null, undefined], [10n], [[0]],
    [Symbol("s")], [hostile], cycle, new Array(4), new Array(2 ** 32 - 1), new Float32Array([0, 1]),
    new BigInt64Array(2), Object.assign([0, 1], { filter: null, includes: 1, map: fail }), [2, 2],
    { length: 2 }, [0, 7, 0, 7], [0, 4, 0, 4], [4, 0, 4, 0], [0, 1e9, 0, 1e9], [0.5, 2, 1, 3],
    [0, 0, 0, 0], new Proxy([0, 1], { get: fail }), Array.from({ length: 60000 }, (_, i) => i)];
  const whole = [null, undefined, 0, "query", [], [1], Symbol("s"), 10n, fail, true, document.body,
    new Proxy({}, { ownKeys: fail, getOwnPropertyDescriptor: fail }),
    new Proxy({ query: 1 }, { get: fail }), Object.defineProperty({}, "query", { get: fail }),
    JSON.parse('{"__proto__": {"query": 1}}'), Object.create({ query: 2 }),
    new Map([["query", 1]])];
  const hosts = [...document.querySelectorAll(".bertviz")];
  const keys = [...new Set(hosts.flatMap(({ bertviz }) => Object.keys(bertviz.state))), "__proto__",
    "constructor", "toString", "", "0"];
  const wrong = [];
  addEventListener("error", ({ message }) => wrong.push(message));
  addEventListener("unhandledrejection", ({ reason }) => wrong.push(String(reason)));
  for (let i = 0; i < rounds; i++) {
    const host = pick(hosts);
    let change = pick(whole);
    const given = [];
    if (random() < 0.85) {
      change = {};
      for (let n = 0; n < 1 + Math.floor(3 * random()); n++) {
        const [key, value] = [pick(keys), pick(random() < 0.5 ? single : lists)];
        given.push(key);
        Object.defineProperty(change, key, { value, enumerable: true, configurable: true });
      }
    }
    const say = (what) => wrong.push(`${host.dataset.view} ${i}, ${given}: ${what}`);
    try { host.bertviz.set(change); } catch (error) { say(`set threw ${error}`); }
    for (let n = 0; n < 2; n++) await new Promise(requestAnimationFrame);
    if (host.dataset.state !== "ready") say(host.shadowRoot.textContent);
    const [drawn, now] = [JSON.parse(host.dataset.drawn), host.bertviz.state];
    for (const key of Object.keys(drawn).filter((key) => key !== "frame")) {
      const [a, b] = [drawn[key], now[key] ?? null].map((value) => JSON.stringify(value));
      if (a !== b) say(`${key} is drawn as ${a}, the state says ${b}`);
    }
    if (Object.keys(now).some((key) => !keys.includes(key))) say(`keys ${Object.keys(now)}`);
    host.bertviz.set(now);
    if (JSON.stringify(host.bertviz.state) !== JSON.stringify(now)) say("is not the state it said");
    if (Object.prototype.query !== undefined) say("polluted");
    if (i % 20 === 0) await host.bertviz.svg().catch((error) => say(`no figure: ${error}`));
    if (wrong.length) break;
  }
  return wrong;
}"""


def trace(seed: int) -> AttentionTrace:
    queries, keys = np.random.default_rng(seed).normal(size=(2, 2, 3, 7, 4))
    return AttentionTrace.from_arrays(TOKENS, queries=queries, keys=keys, sentence_b_start=4)


@pytest.fixture
def views(page_of: Callable[..., Opened]) -> Opened:
    one, both = trace(0), compare(trace(0), trace(1))
    values = np.random.default_rng(2).normal(size=(2, 3, 7, 7))
    values[:, :, 2] = np.nan
    signed = AttentionTrace.from_arrays(TOKENS, values, kind="signed", sentence_b_start=4)
    opened = page_of(
        *[view(one) for view in (HeadView, ModelView, NeuronView)],
        *[view(each) for view in (HeadView, ModelView) for each in (both, signed)],
    )
    opened.ready(7)
    return opened


@pytest.mark.parametrize("seed", [1, 2])
def test_no_change_breaks_a_view(views: Opened, seed: int) -> None:
    assert views.page.evaluate(JUNK, [seed, 150]) == []
    # And it looks as if nothing else had ever happened.
    states = views.page.locator(".bertviz").evaluate_all("all => all.map((h) => h.bertviz.state)")
    figures = "all => Promise.all(all.map((host) => host.bertviz.svg()))"
    before = views.page.locator(".bertviz").evaluate_all(figures)
    views.page.reload()
    views.ready(7)
    for i, state in enumerate(states):
        views.set(views.page.locator(".bertviz").nth(i), **state)
    assert views.page.locator(".bertviz").evaluate_all(figures) == before
    assert views.errors == []


def test_nobody_else_holds_a_state(page_of: Callable[..., Opened]) -> None:
    """Lists that go in are copied, lists that come out are copies."""
    opened = page_of(a_head_view(weights(), TOKENS))
    before = opened.host.evaluate("host => JSON.stringify(host.bertviz.state)")
    after = opened.host.evaluate(
        """host => {
             const { heads } = host.bertviz.state;
             heads.length = 0;
             const zoom = [0, 4, 0, 4];
             host.bertviz.set({ zoom });
             zoom[1] = 99;
             host.bertviz.set({ layer: 1 });
             return host.bertviz.state;
           }"""
    )
    assert after == {**json.loads(before), "layer": 1, "zoom": [0, 4, 0, 4]}


def test_an_output_that_failed_stays_a_sentence(page_of: Callable[..., Opened]) -> None:
    fragment = a_head_view(weights(), TOKENS).data.replace('"version":1', '"version":99')
    opened = page_of(fragment)
    opened.host.evaluate("host => { host.bertviz.set({ layer: 1 }); host.bertviz.set(null); }")
    opened.quiet()
    assert opened.host.locator("[role=alert]").inner_text().startswith("The head view could not be")
    assert [error for error in opened.errors if "version 99" not in error] == []
