"""Judges the gradients of survey.ts: reads its cases as JSON from standard input, prints the largest errors.

The error of a parameter's gradient is ‖ĝ − g‖ / max(‖g‖, 1 % of the largest norm); g is PyTorch's in float64. Biases
directly below a batch norm are left out: their exact gradient is 0. An error of f32 is PyTorch's own. Where it is large
as well, or some value is closer to a kink than rounding, the gradient took another path: such cases are listed.
"""

import json
import sys

import numpy as np
import torch
import torch.nn.functional as F

import make_golden as golden

torch.set_num_threads(1)
KINK = 1e-4
"""Errors above it are not of rounding."""


def gradients(model, kind, seed, double):
    p, x = golden.inputs(model, kind, seed)
    if not double:
        p, x = {name: value.float() for name, value in p.items()}, x.float()
    for value in p.values():
        value.requires_grad_()
    labels = torch.from_numpy((golden.hashes(golden.BATCH, 200) % np.uint64(golden.CLASSES)).astype(np.int64))
    logits, _, _ = golden.forward(model, p, x, None)
    F.nll_loss(F.log_softmax(logits, 1), labels, reduction="sum").backward()
    return {name: value.grad.double().numpy().reshape(-1) for name, value in p.items()}


def error(model, found, exact):
    floor = 1e-2 * max(np.linalg.norm(g) for g in exact.values())
    below_norm = {f"conv{i}/bias" for i in range(1, 5)}
    return max(
        np.linalg.norm(found[name] - g) / max(np.linalg.norm(g), floor)
        for name, g in exact.items()
        if name not in below_norm
    )


def slices(model, flat):
    at, found = 0, {}
    for name, shape, *_ in golden.layout(model)[0]:
        size = int(np.prod(shape))
        found[name] = flat[at : at + size].astype(np.float64)
        at += size
    assert at == flat.size, f"expected {at} values of {model}, got {flat.size}"
    return found


results = {}
for case in json.load(sys.stdin):
    model, kind, seed = case["model"], case["kind"], case["seed"]
    golden.BATCH = case["batch"]
    exact = gradients(model, kind, seed, True)
    ours = error(model, slices(model, np.fromfile(case["file"], "<f4")), exact)
    theirs = error(model, gradients(model, kind, seed, False), exact)
    results.setdefault((model, kind, golden.BATCH), []).append((seed, ours, theirs))

def summary(found):
    """Largest and median error, of Lockstep and of PyTorch."""
    if not found:
        return "every seed is at a kink"
    ours, theirs = (np.array(x) * 1e6 for x in zip(*found))
    return f"{ours.max():.1f} ({np.median(ours):.1f}); PyTorch {theirs.max():.1f} ({np.median(theirs):.1f})"


print("largest and median error in 1e-6; PyTorch's in f32; seeds at a kink: seed, ours, PyTorch's")
for (model, kind, batch), found in results.items():
    sound = [(ours, theirs) for _, ours, theirs in found if ours < KINK]
    kinks = [f"{seed}: {ours * 1e6:.0f}, {theirs * 1e6:.0f}" for seed, ours, theirs in found if ours >= KINK]
    print(f"{model}, {kind}, batch {batch}, n = {len(sound)}: {summary(sound)}" + (f"; kinks {kinks}" if kinks else ""))
