"""Whether a trace holds the attention that a model returns, and the model is as before."""

from __future__ import annotations

from typing import Any

TOLERANCE = 1e-5


def attentions_of(output: Any) -> dict[str, list[Any]]:
    """The attentions that a model returned, by field name."""
    found: dict[str, list[Any]] = {}
    for name, value in output.items():
        if name.endswith("attentions") and isinstance(value, list | tuple) and value:
            layers = [layer for layer in value if layer is not None]
            if layers:
                found[name] = layers
        elif hasattr(value, "items") and hasattr(value, "to_tuple"):
            inner = attentions_of(value)
            found.update({f"{name}.{key}": layers for key, layers in inner.items()})
    return found


def compared(model: Any, trace: Any, reference: dict[str, list[Any]]) -> tuple[str, str, float]:
    """The verdict on one model, the reason, and the largest difference among what matched."""
    layers = [(b, layer) for b in trace.blocks.values() for layer in b.layers]
    weights = [layer.weights() for _, layer in layers]
    worst, missing, misplaced = 0.0, [], []
    for name, own in reference.items():
        for number, theirs in enumerate(own):
            theirs = theirs[0].float()
            same = [i for i, ours in enumerate(weights) if ours.shape == theirs.shape]
            distance = {i: float((weights[i] - theirs).abs().max()) for i in same}
            best = min(distance, key=distance.__getitem__, default=None)
            if best is None or not distance[best] <= TOLERANCE:
                shapes = sorted({tuple(w.shape) for w in weights})
                missing.append(
                    f"{name}[{number}] {tuple(theirs.shape)}: "
                    + (f"off by {distance[best]:.1e}" if best is not None else f"have {shapes}")
                )
                continue
            worst = max(worst, distance[best])
            block, layer = layers[best]
            kind = "cross" if "cross" in name else "decoder" if "decoder" in name else None
            kind = "encoder" if name.split(".")[-1].startswith("encoder") else kind
            if (block.kind == "cross") != (kind == "cross") or (
                kind == "encoder" and block.kind != kind
            ):
                misplaced.append(f"{name}[{number}] is in block {block.name}")
            if not layer.name or not hasattr(model.get_submodule(layer.name), "forward"):
                misplaced.append(f"{name}[{number}] has no path")
    if missing:
        some = sum(map(len, reference.values())) > len(missing)
        return ("partly" if some else "differs"), "; ".join(missing[:3]), worst
    if misplaced:
        return "weights", "; ".join(misplaced[:3]), worst
    return "matched", "", worst


def state_of(model: Any) -> Any:
    """Everything about a model that must not change."""
    import torch

    return (
        {k: v._version for k, v in (*model.named_parameters(), *model.named_buffers())},
        {n: m.training for n, m in model.named_modules()},
        {n: len(m._forward_hooks) + len(m._forward_pre_hooks) for n, m in model.named_modules()},
        model.config.to_dict().__repr__(),
        torch.random.get_rng_state().tolist(),
    )
