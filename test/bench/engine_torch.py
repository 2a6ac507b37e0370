"""The training step, or the evaluation, of bench:engine in PyTorch.

Reads a number of steps per line from standard input and answers with the times of those steps in ms, as JSON.
Usage: python3 engine_torch.py eager|compile cnn3|cnn4|resnet20 BATCH THREADS train|evaluate
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


class Block(nn.Module):
    """Two convolutions of 3×3 beside a shortcut: 1×1 where the image is halved (He et al. 2015, option B)."""

    def __init__(self, channels, filters, stride):
        super().__init__()
        self.long = nn.Sequential(
            nn.Conv2d(channels, filters, 3, stride, 1, bias=False),
            nn.BatchNorm2d(filters),
            nn.ReLU(),
            nn.Conv2d(filters, filters, 3, 1, 1, bias=False),
            nn.BatchNorm2d(filters),
        )
        self.short = nn.Identity()
        if stride > 1:
            self.short = nn.Sequential(nn.Conv2d(channels, filters, 1, stride, bias=False), nn.BatchNorm2d(filters))

    def forward(self, x):
        return F.relu(self.long(x) + self.short(x))


def resnet20():
    layers, channels = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()], 16
    for filters in (16, 32, 64):
        for block in range(3):
            layers.append(Block(channels, filters, 2 if filters > 16 and block == 0 else 1))
            channels = filters
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


def cnn(blocks):
    layers, channels, size = [], 3, 32
    for filters, kernel in ((16, 7), (32, 5), (64, 3), (128, 3))[:blocks]:
        convolution = nn.Conv2d(channels, filters, kernel, padding=kernel // 2)
        layers += [convolution, nn.BatchNorm2d(filters), nn.ReLU(), nn.MaxPool2d(2)]
        channels, size = filters, size // 2
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(channels * size * size, 100), nn.ReLU(), nn.Linear(100, 10))


model = resnet20() if name == "resnet20" else cnn({"cnn3": 3, "cnn4": 4}[name])
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
