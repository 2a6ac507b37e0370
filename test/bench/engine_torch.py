"""The training step of bench:engine in PyTorch, one thread.

Reads a number of steps per line from standard input and answers with the times of those steps in ms, as JSON.
Usage: python3 engine_torch.py eager|compile BATCH
"""

import json
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

mode, batch = sys.argv[1], int(sys.argv[2])
torch.set_num_threads(1)
torch.manual_seed(1)
torch.set_flush_denormal(True)

layers, channels = [], 3
for filters, kernel in ((16, 7), (32, 5), (64, 3)):
    layers += [nn.Conv2d(channels, filters, kernel, padding=kernel // 2), nn.BatchNorm2d(filters), nn.ReLU(), nn.MaxPool2d(2)]
    channels = filters
layers += [nn.Flatten(), nn.Linear(1024, 100), nn.ReLU(), nn.Linear(100, 10)]
model = nn.Sequential(*layers)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
images = torch.randint(0, 256, (batch, 3, 32, 32), dtype=torch.uint8)
labels = torch.arange(batch) % 10
mean = torch.tensor([0.4914, 0.4822, 0.4465])[:, None, None]
deviation = torch.tensor([0.247, 0.243, 0.261])[:, None, None]


def loss_of(images, labels):
    x = (images.float() / 255 - mean) / deviation
    return F.nll_loss(F.log_softmax(model(x), 1), labels)


forward = torch.compile(loss_of) if mode == "compile" else loss_of


def step():
    optimizer.zero_grad()
    loss = forward(images, labels)
    loss.backward()
    optimizer.step()
    return loss.item()


step()
print(json.dumps({"version": torch.__version__, "mode": mode}), flush=True)
for line in sys.stdin:
    times = []
    for _ in range(int(line)):
        begin = time.perf_counter()
        step()
        times.append(1e3 * (time.perf_counter() - begin))
    print(json.dumps(times), flush=True)
