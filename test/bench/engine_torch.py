"""The training step, or the evaluation, of bench:engine and bench:gpu in PyTorch.

Reads a number of steps per line from standard input and answers with the times of those steps in ms, as JSON.
Usage: python3 engine_torch.py eager|compile|compile-channels-last MODEL BATCH THREADS train|evaluate
    [cpu|cuda default|float32|benchmark]

A step on a GPU begins with the images' bytes in the host's memory and ends with the loss there. float32: TF32 is off;
default: as PyTorch is delivered; benchmark: so, with cuDNN's algorithms chosen by timing.
"""

import json
import sys
import time

import torch
import torch.nn.functional as F

from torch_models import models

mode, name, batch, threads, task = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5]
device, precision = sys.argv[6:8] or ("cpu", "default")
if device == "cuda" and not torch.cuda.is_available():
    sys.exit(f"expected a GPU, got none (PyTorch {torch.__version__}, built for CUDA {torch.version.cuda})")
if precision == "float32":
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
torch.backends.cudnn.benchmark = precision == "benchmark"
torch.set_num_threads(threads)
torch.manual_seed(1)
torch.set_flush_denormal(True)

channels_last = mode == "compile-channels-last"
memory_format = torch.channels_last if channels_last else torch.contiguous_format
model = models[name]().to(device, memory_format=memory_format)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
images = torch.randint(0, 256, (batch, 3, 32, 32), dtype=torch.uint8)
labels = torch.arange(batch) % 10
if device == "cuda":
    images, labels = images.pin_memory(), labels.pin_memory()
mean = torch.tensor([0.4914, 0.4822, 0.4465], device=device)[:, None, None]
deviation = torch.tensor([0.247, 0.243, 0.261], device=device)[:, None, None]


def rows_of(images):
    x = (images.float() / 255 - mean) / deviation
    x = x.contiguous(memory_format=memory_format)
    return F.log_softmax(model(x), 1)


def loss_of(images, labels):
    return F.nll_loss(rows_of(images), labels)


if task == "evaluate":
    model.eval()
function = loss_of if task == "train" else rows_of
forward = function if mode == "eager" else torch.compile(function)


def there(tensor):
    return tensor.to(device, non_blocking=True)


def train():
    optimizer.zero_grad()
    loss = forward(there(images), there(labels))
    loss.backward()
    optimizer.step()
    return loss.item()


def evaluate():
    with torch.no_grad():
        return forward(there(images)).cpu()


step = train if task == "train" else evaluate
step()
about = {"version": torch.__version__, "device": torch.cuda.get_device_name() if device == "cuda" else "cpu"}
print(json.dumps(about), flush=True)
for line in sys.stdin:
    times = []
    for _ in range(int(line)):
        begin = time.perf_counter()
        step()
        times.append(1e3 * (time.perf_counter() - begin))
    print(json.dumps(times), flush=True)
