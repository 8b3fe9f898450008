"""Does extract return every architecture's own attention? `python benchmarks/coverage.py`.

For every model type in the installed transformers, a tiny model is built from its configuration
with random weights and run twice: as it is, under `extract`, and on the eager kernel with
`output_attentions=True`. A type counts as

    matched      every attention that the model returns is in the trace, within 1e-5, from the
                 module at that path, in the right block
    weights      the weights match, but a path or a block does not
    partly       some weights are missing or differ
    nothing      nothing was captured
    error        extract raised an error other than NothingCaptured
    no reference the model returns no attention, or not as (batch, heads, query, key)
    not built    the model refused the tiny configuration, or took over 60 s of the processor
                 (``--seconds``)

A further line names what `extract` said that it could not capture.

Each type runs in a process of its own. Prints one line per type that does not match, and totals.
`--json FILE` saves all results; only the types named after the options are run, if there are any.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import copy
import json
import multiprocessing
import os
import resource
import traceback
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from architectures.configurations import classes_of, tiny
from architectures.inputs import BATCH, runnable
from architectures.verdict import attentions_of, compared, state_of

SECONDS = 60  # of the processor, so that it does not matter what else the machine does
MEMORY = 8 << 30


def judged(model_type: str) -> dict[str, Any]:
    """Judge one model type in this process."""
    import torch
    import transformers
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING

    from bertviz.extractor import NothingCaptured, extract

    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    warnings.simplefilter("ignore")
    result: dict[str, Any] = {"type": model_type, "verdict": "not built", "why": ""}
    first = ""
    for level in (0, 1, 2, 3):
        try:
            config = tiny(CONFIG_MAPPING[model_type], level)
            classes = classes_of(config)
        except Exception as error:
            first = first or f"config: {type(error).__name__}: {error}"
            continue
        for model_class in classes[:4]:
            try:
                torch.manual_seed(0)
                config = tiny(CONFIG_MAPPING[model_type], level)
                model = model_class(config).eval()
                for parameter in model.parameters():
                    if parameter.ndim > 1:
                        torch.nn.init.normal_(parameter, std=0.1)
                batch = runnable(model)
            except Exception as error:
                first = first or f"{model_class.__name__}: {type(error).__name__}: {error}"
                continue
            result["class"] = model_class.__name__
            result["verdict"] = "no reference"
            before = state_of(model)
            try:
                trace = extract(model, inputs=batch, batch_index=0, drop_padding=False)
            except NothingCaptured as error:
                trace, why = None, str(error)
            except Exception as error:
                text = "".join(traceback.format_exception(error)[-3:])
                return result | {"verdict": "error", "why": f"{type(error).__name__}: {text}"}
            result["skipped"] = {} if trace is None else dict(trace.skipped)
            after = state_of(model)
            if before != after:
                what = [i for i, (a, b) in enumerate(zip(before, after, strict=True)) if a != b]
                return result | {"verdict": "side effect", "why": str(what)}
            reference: dict[str, list[Any]] = {}
            try:
                # Some models choose their kernel when created, so the reference is created again.
                eager = model_class._from_config(
                    copy.deepcopy(config), attn_implementation="eager"
                ).eval()
                eager.load_state_dict(model.state_dict())
                with torch.no_grad():
                    output = eager(**batch, output_attentions=True, return_dict=True)
                reference = attentions_of(output)
            except Exception as error:
                result["why"] = f"output_attentions: {type(error).__name__}: {error}"[:300]
            if not reference:
                result["captured"] = (
                    0 if trace is None else sum(len(b.layers) for b in trace.blocks.values())
                )
                if trace is None:
                    result["why"] += why
                continue  # a different head of the model may return attention
            rows = {
                name: layers
                for name, layers in reference.items()
                if all(
                    isinstance(x, torch.Tensor)
                    and x.ndim == 4
                    and x.shape[0] == BATCH
                    and bool(((x.float().sum(-1) < 1.01) & (x >= -1e-6).all(-1)).all())
                    for x in layers
                )
            }
            if not rows:
                shapes = {
                    n: tuple(x[0].shape) for n, x in reference.items() if hasattr(x[0], "shape")
                }
                return result | {"why": f"not (batch, heads, query, key) weights: {shapes}"}
            if trace is None:
                return result | {"verdict": "nothing", "why": why}
            verdict, why, worst = compared(model, trace, rows)
            return result | {"verdict": verdict, "why": why, "difference": worst}
    if result["verdict"] == "not built":
        result["why"] = first[:300]
    return result


def _child(model_type: str, seconds: int, pipe: Any) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    with open(os.devnull, "w") as quiet, contextlib.redirect_stderr(quiet):
        try:
            pipe.send(judged(model_type))
        except BaseException as error:
            pipe.send({"type": model_type, "verdict": "not built", "why": repr(error)[:300]})


def isolated(model_type: str, seconds: int) -> dict[str, Any]:
    """Judge one model type in a process of its own, which may use so much of the processor."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    process = context.Process(target=_child, args=(model_type, seconds, theirs))
    process.start()
    theirs.close()  # or the end of the process would not be noticed
    result = {"type": model_type, "verdict": "not built", "why": "it waits for something"}
    try:
        if ours.poll(30 * seconds):
            result = ours.recv()
    except EOFError:
        result["why"] = f"its process died, or took over {seconds} s"
    process.kill()
    process.join()
    return result


def main() -> None:
    """Judge every type and print those that do not match."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("types", nargs="*")
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--processes", type=int, default=2, metavar="N", help="at once (2)")
    parser.add_argument("--seconds", type=int, default=SECONDS, metavar="N", help=f"({SECONDS})")
    options = parser.parse_args()
    os.environ["HF_HUB_OFFLINE"] = "1"
    import torch  # before the child processes are forked, so that they share it
    import transformers  # noqa: F401
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING

    import bertviz.extractor  # noqa: F401

    torch.set_num_threads(1)
    types = options.types or sorted(CONFIG_MAPPING)
    with ThreadPoolExecutor(options.processes) as pool:
        results = []
        for result in pool.map(isolated, types, [options.seconds] * len(types)):
            results.append(result)
            if result.get("skipped"):
                print(f"{result['type']:28} {'skipped':12} {result['skipped']}", flush=True)
            if options.types or result["verdict"] not in ("matched", "not built", "no reference"):
                print(f"{result['type']:28} {result['verdict']:12} {result['why']}", flush=True)
            if options.json:
                with open(options.json, "w") as file:
                    json.dump(results, file, indent=1)
    counts = collections.Counter(result["verdict"] for result in results)
    judged_types = [r for r in results if r["verdict"] not in ("not built", "no reference")]
    print(dict(counts))
    if judged_types:
        worst = max((r.get("difference", 0) for r in judged_types), default=0)
        share = counts["matched"] / len(judged_types)
        print(f"{share:.1%} of {len(judged_types)} matched; largest difference {worst:.1e}")


if __name__ == "__main__":
    main()
