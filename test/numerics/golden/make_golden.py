"""Makes the golden values of the engine's tests: cnn3, cnn4 and resnet20 in PyTorch, all in float64.

Usage: python3 make_golden.py [MODEL ...]   (writes the *.safetensors files beside itself; needs numpy and torch)

Inputs are not stored: both sides compute them from integers (`mix`, `uniform` and `images` here are the functions of
the same names in inputs.ts), so that they are equal to the last bit. Of a parameter with many elements every n-th
gradient is stored, with the norm of the whole gradient and its scalar products with 32 vectors of random signs, whose
mean square is that of the whole.

Where a ReLU's input is almost 0, or two elements of a pooling window are almost equal, rounding decides which way the
gradient goes: a kink, of which no bound on rounding holds. Weights are drawn with the first seed that keeps a distance
from all of them, many times the rounding of f32 there; it is stored with the distance.
"""

import itertools
import json
import os
import struct
import sys

import numpy as np
import torch
import torch.nn.functional as F

BATCH, CLASSES, SIZE = 9, 10, 32
MEAN, DEVIATION = np.array([0.4914, 0.4822, 0.4465]), np.array([0.247, 0.243, 0.261])
BLOCKS = {"cnn3": [(16, 7), (32, 5), (64, 3)], "cnn4": [(16, 7), (32, 5), (64, 3), (128, 3)]}
KINDS = {"cnn3": ("textured", "flat"), "cnn4": ("textured", "flat"), "resnet20": ("textured",)}
STORED = {"cnn3": 4096, "cnn4": 4096, "resnet20": 512}
PROJECTIONS = 32
"""Least distance from a kink, over the root mean square of PyTorch's own error in f32 there. resnet20 has 1.7 million."""
MARGIN = {"cnn3": 9, "cnn4": 9, "resnet20": 4}


def mix(x):
    """Integer hash of 32 bits (lowbias32, https://nullprogram.com/blog/2018/07/31/)."""
    low = np.uint64(0xFFFFFFFF)
    x = np.array(x).astype(np.uint64) & low
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
        x = ((x ^ (x >> np.uint64(shift))) * np.uint64(factor)) & low
    return x ^ (x >> np.uint64(16))


def hashes(count, stream):
    return mix(mix(stream) + np.arange(count, dtype=np.uint64))


def uniform(count, stream, centre, radius):
    """f32 numbers in centre ± radius."""
    unit = hashes(count, stream).astype(np.float64) / 2**31 - 1
    return (centre + radius * unit).astype(np.float32)


def images(kind):
    """u8 [B, H, W, C]. flat: four plain squares each, so that pooling windows tie; textured: squares and noise."""
    index = np.arange(BATCH * SIZE * SIZE * 3)
    c, x, y, n = index % 3, index // 3 % SIZE, index // (3 * SIZE) % SIZE, index // (3 * SIZE * SIZE)
    side = 16 if kind == "flat" else 4
    square = ((n * 8 + y // side) * 8 + x // side) * 3 + c
    colour = mix(square + 1000) % np.uint64(256)
    noise = mix(index + 50000) % np.uint64(48) if kind == "textured" else np.uint64(0)
    return np.minimum(255, colour + noise).astype(np.uint8).reshape(BATCH, SIZE, SIZE, 3)


def units():
    """resnet20's convolutions in TF.js's order: name, side, filters in and out, stride."""
    yield "stem", 3, 3, 16, 1
    ci = 16
    for stage, co in enumerate((16, 32, 64), 1):
        for block in (1, 2, 3):
            stride = 2 if stage > 1 and block == 1 else 1
            name = f"stage{stage}/block{block}"
            yield f"{name}/a", 3, ci, co, stride
            yield f"{name}/b", 3, co, co, 1
            if stride == 2:
                yield f"{name}/short", 1, ci, co, stride
            ci = co


def resnet_layout():
    parameters, state = [], []
    for name, k, ci, co, _ in units():
        kernel = (f"{name}/conv/kernel", (k, k, ci, co), 0, (3 / (k * k * ci)) ** 0.5)
        norms = [(f"{name}/norm/gamma", (co,), 0.5, 0.75), (f"{name}/norm/beta", (co,), 0, 0.3)]
        # TF.js sorts layers by their distance from the end: both convolutions of a block's last step, then their norms.
        at = len(parameters) - 2 if name.endswith("/short") else len(parameters)
        parameters[at:at] = [kernel]
        parameters += norms
        state += [(f"{name}/norm/moving_mean", (co,), 0, 0.5), (f"{name}/norm/moving_variance", (co,), 1, 0.75)]
    parameters += [("logits/kernel", (64, CLASSES), 0, (3 / 64) ** 0.5), ("logits/bias", (CLASSES,), 0, 0.1)]
    return parameters, state


def layout(model):
    """Names, shapes as TF.js has them, and value ranges; state likewise."""
    if model == "resnet20":
        return resnet_layout()
    parameters, state, ci = [], [], 3
    for i, (co, k) in enumerate(BLOCKS[model], 1):
        parameters += [(f"conv{i}/kernel", (k, k, ci, co), 0, (3 / (k * k * ci)) ** 0.5), (f"conv{i}/bias", (co,), 0, 0.1)]
        parameters += [(f"norm{i}/gamma", (co,), 0.5, 0.75), (f"norm{i}/beta", (co,), 0, 0.3)]
        state += [(f"norm{i}/moving_mean", (co,), 0, 0.5), (f"norm{i}/moving_variance", (co,), 1, 0.75)]
        ci = co
    flat = ci * (SIZE >> len(BLOCKS[model])) ** 2
    for name, i, o in (("dense1", flat, 100), ("logits", 100, CLASSES)):
        parameters += [(f"{name}/kernel", (i, o), 0, (3 / i) ** 0.5), (f"{name}/bias", (o,), 0, 0.1)]
    return parameters, state


def values(entries, first_stream):
    return {
        name: torch.from_numpy(uniform(int(np.prod(shape)), first_stream + i, centre, radius).astype(np.float64).reshape(shape))
        for i, (name, shape, centre, radius) in enumerate(entries)
    }


def normalise(x, name, p, state, statistics):
    """Batch norm by the batch's own statistics, which are noted, or by those of `state`."""
    mean, variance = x.mean((0, 2, 3)), x.var((0, 2, 3), unbiased=False)
    statistics[f"{name}/moving_mean"], statistics[f"{name}/moving_variance"] = mean, variance
    if state is not None:
        mean, variance = state[f"{name}/moving_mean"], state[f"{name}/moving_variance"]
    x = (x - mean[:, None, None]) / torch.sqrt(variance + 1e-5)[:, None, None]
    return x * p[f"{name}/gamma"][:, None, None] + p[f"{name}/beta"][:, None, None]


def same(x, k, stride):
    """TensorFlow's padding "same": what is needed, the odd row at the end."""
    rows = max(0, k - stride if x.shape[2] % stride == 0 else k - x.shape[2] % stride)
    return F.pad(x, (rows // 2, rows - rows // 2, rows // 2, rows - rows // 2))


def pooling_kinks(z):
    """Of ReLU and 2×2 pooling: the largest of each window, and by how much it is, where it is not exactly equal."""
    n, c, h, w = z.shape
    windows = z.reshape(n, c, h // 2, 2, w // 2, 2).transpose(3, 4).reshape(-1, 4).sort(1, descending=True)[0]
    ahead = (windows[:, :1] - windows[:, 1:])[windows[:, 0] > 0]
    return torch.cat([windows[:, 0].abs(), ahead[ahead > 1e-12]])


def resnet(p, x, state):
    statistics, kinks = {}, []

    def relu(x):
        kinks.append((x, x.abs()))
        return F.relu(x)

    def unit(name, x, k, stride):
        w = p[f"{name}/conv/kernel"].permute(3, 2, 0, 1)
        return normalise(F.conv2d(same(x, k, stride), w, stride=stride), f"{name}/norm", p, state, statistics)

    x = relu(unit("stem", x, 3, 1))
    for stage in (1, 2, 3):
        for block in (1, 2, 3):
            name, stride = f"stage{stage}/block{block}", 2 if stage > 1 and block == 1 else 1
            long = unit(f"{name}/b", relu(unit(f"{name}/a", x, 3, stride)), 3, 1)
            x = relu(long + (x if stride == 1 else unit(f"{name}/short", x, 1, stride)))
    return x.mean((2, 3)) @ p["logits/kernel"] + p["logits/bias"], statistics, kinks


def forward(model, p, x, state):
    """
    Logits, batch statistics, and values at kinks with their distances from them. With state None in training mode.
    """
    if model == "resnet20":
        return resnet(p, x, state)
    statistics, kinks = {}, []
    for i in range(1, len(BLOCKS[model]) + 1):
        w = p[f"conv{i}/kernel"].permute(3, 2, 0, 1)
        x = F.conv2d(x, w, p[f"conv{i}/bias"], padding=w.shape[2] // 2)
        z = normalise(x, f"norm{i}", p, state, statistics)
        kinks.append((z, pooling_kinks(z)))
        x = F.max_pool2d(F.relu(z), 2, 2)
    x = x.permute(0, 2, 3, 1).reshape(BATCH, -1)
    z = x @ p["dense1/kernel"] + p["dense1/bias"]
    kinks.append((z, z.abs()))
    return F.relu(z) @ p["logits/kernel"] + p["logits/bias"], statistics, kinks


def inputs(model, kind, seed):
    parameters, _ = layout(model)
    pixels = (images(kind).astype(np.float64) / 255 - MEAN) / DEVIATION
    return values(parameters, 1 + 1000 * seed), torch.from_numpy(pixels).permute(0, 3, 1, 2)


def margin(model, kind, seed):
    p, x = inputs(model, kind, seed)
    with torch.no_grad():
        exact = forward(model, p, x, None)[2]
        rounded = forward(model, {name: value.float() for name, value in p.items()}, x.float(), None)[2]
    return min(
        (distances.min() / (z - y.double()).pow(2).mean().sqrt()).item()
        for (z, distances), (y, _) in zip(exact, rounded)
    )


def find_seed(model, kind):
    for seed in itertools.count():
        found = margin(model, kind, seed)
        if found >= MARGIN[model]:
            return seed, found


def golden(model, kind):
    parameters, states = layout(model)
    seed, distance = find_seed(model, kind)
    p, x = inputs(model, kind, seed)
    for value in p.values():
        value.requires_grad_()
    state = values(states, 101)
    labels = torch.from_numpy((hashes(BATCH, 200) % np.uint64(CLASSES)).astype(np.int64))
    logits, statistics, _ = forward(model, p, x, None)
    loss = F.nll_loss(F.log_softmax(logits, 1), labels, reduction="sum")
    loss.backward()
    with torch.no_grad():
        rows = F.log_softmax(forward(model, p, x, state)[0], 1)
    tensors = {"rows": rows.numpy(), "statistics": np.concatenate([statistics[n].detach().numpy() for n, *_ in states])}
    norms, projections = [], []
    for i, (name, *_) in enumerate(parameters):
        gradient = p[name].grad.numpy().reshape(-1)
        stride = -(-gradient.size // STORED[model])
        tensors[f"gradient/{name}"] = gradient[::stride]
        norms.append(np.linalg.norm(gradient))
        signs = hashes(gradient.size, 300 + i)
        projections.append([gradient @ signs_of_bit(signs, bit) for bit in range(PROJECTIONS)])
    tensors["norms"], tensors["projections"] = np.array(norms), np.array(projections)
    numbers = {"loss": loss.item(), "correct": int((logits.argmax(1) == labels).sum()), "seed": seed}
    metadata = {name: repr(value) for name, value in numbers.items()}
    return tensors, {**metadata, "margin": f"{distance:.1f}", "torch": torch.__version__}


def signs_of_bit(hashed, bit):
    return 1 - 2 * (hashed >> np.uint64(bit) & np.uint64(1)).astype(np.float64)


def save(path, tensors, metadata):
    """The safetensors format, f32."""
    header, data = {"__metadata__": metadata}, b""
    for name, value in tensors.items():
        raw = np.ascontiguousarray(value, "<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": list(value.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


if __name__ == "__main__":
    torch.set_num_threads(1)
    for model in sys.argv[1:] or KINDS:
        for kind in KINDS[model]:
            save(os.path.join(os.path.dirname(__file__) or ".", f"{model}-{kind}.safetensors"), *golden(model, kind))
