"""Makes optimizer.json: parameters after each update by PyTorch's optimizers, computed in float64.

Run: python3 make_optimizer_golden.py > optimizer.json   (made with PyTorch 1.13)
"""
import json

import torch

SAMPLES = 4
STEPS = 6
# All numbers are exact in float32, so that both sides start from the same values.
PARAMS = [1.0, -0.5, 0.25, 2.0, -3.0, 0.0, 0.015625]
GRADIENT_SUMS = [
    [((7 * i + 3 * step + i * step) % 13 - 6) / 8 for i in range(len(PARAMS))] for step in range(STEPS)
]
LEARNING_RATES = [0.125, 0.125, 0.0625, 0.03125, 0.25, 0.0078125]

CASES = [
    ("sgd", dict(momentum=0.0, nesterov=False, weightDecay=0.0)),
    ("sgd", dict(momentum=0.0, nesterov=False, weightDecay=0.01)),
    ("sgd", dict(momentum=0.9, nesterov=False, weightDecay=0.0)),
    ("sgd", dict(momentum=0.9, nesterov=False, weightDecay=0.01)),
    ("sgd", dict(momentum=0.9, nesterov=True, weightDecay=0.01)),
    ("adam", dict(beta1=0.9, beta2=0.999, epsilon=1e-8, weightDecay=0.0)),
    ("adam", dict(beta1=0.8, beta2=0.95, epsilon=1e-3, weightDecay=0.05)),
    ("adamw", dict(beta1=0.9, beta2=0.999, epsilon=1e-8, weightDecay=0.01)),
]


def make(kind, fields, params):
    if kind == "sgd":
        return torch.optim.SGD(
            params, lr=1.0, momentum=fields["momentum"], nesterov=fields["nesterov"], weight_decay=fields["weightDecay"]
        )
    adam = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[kind]
    return adam(
        params,
        lr=1.0,
        betas=(fields["beta1"], fields["beta2"]),
        eps=fields["epsilon"],
        weight_decay=fields["weightDecay"],
    )


def run(kind, fields):
    param = torch.tensor(PARAMS, dtype=torch.float64, requires_grad=True)
    optimizer = make(kind, fields, [param])
    after = []
    for gradient, rate in zip(GRADIENT_SUMS, LEARNING_RATES):
        for group in optimizer.param_groups:
            group["lr"] = rate
        param.grad = torch.tensor(gradient, dtype=torch.float64) / SAMPLES
        optimizer.step()
        after.append(param.detach().tolist())
    return {"spec": {"type": kind, "learningRate": 1.0, **fields}, "paramsAfterStep": after}


print(
    json.dumps(
        {
            "samples": SAMPLES,
            "params": PARAMS,
            "gradientSums": GRADIENT_SUMS,
            "learningRates": LEARNING_RATES,
            "cases": [run(kind, fields) for kind, fields in CASES],
        },
        indent=1,
    )
)
