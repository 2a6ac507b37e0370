"""The training step, or the evaluation, of bench:engine in PyTorch.

Reads a number of steps per line from standard input and answers with the times of those steps in ms, as JSON.
Usage: python3 engine_torch.py eager|compile cnn3|cnn4 BATCH THREADS train|evaluate
"""

import json
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

mode, name, batch, threads, task = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5]
torch.set_num_threads(threads)
torch.manual_seed(1)
torch.set_flush_denormal(True)

layers, channels, size = [], 3, 32
for filters, kernel in ((16, 7), (32, 5), (64, 3), (128, 3))[: {"cnn3": 3, "cnn4": 4}[name]]:
    layers += [nn.Conv2d(channels, filters, kernel, padding=kernel // 2), nn.BatchNorm2d(filters), nn.ReLU(), nn.MaxPool2d(2)]
    channels, size = filters, size // 2
layers += [nn.Flatten(), nn.Linear(channels * size * size, 100), nn.ReLU(), nn.Linear(100, 10)]
model = nn.Sequential(*layers)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
images = torch.randint(0, 256, (batch, 3, 32, 32), dtype=torch.uint8)
labels = torch.arange(batch) % 10
mean = torch.tensor([0.4914, 0.4822, 0.4465])[:, None, None]
deviation = torch.tensor([0.247, 0.243, 0.261])[:, None, None]


def rows_of(images):
    x = (images.float() / 255 - mean) / deviation
    return F.log_softmax(model(x), 1)


def loss_of(images, labels):
    return F.nll_loss(rows_of(images), labels)


if task == "evaluate":
    model.eval()
function = loss_of if task == "train" else rows_of
forward = torch.compile(function) if mode == "compile" else function


def train():
    optimizer.zero_grad()
    loss = forward(images, labels)
    loss.backward()
    optimizer.step()
    return loss.item()


def evaluate():
    with torch.no_grad():
        return forward(images)


step = train if task == "train" else evaluate
step()
print(json.dumps({"version": torch.__version__, "mode": mode}), flush=True)
for line in sys.stdin:
    times = []
    for _ in range(int(line)):
        begin = time.perf_counter()
        step()
        times.append(1e3 * (time.perf_counter() - begin))
    print(json.dumps(times), flush=True)
