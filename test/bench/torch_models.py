"""The built-in models of job/models, in PyTorch, from images [N, 3, 32, 32] to 10 logits."""

import torch.nn as nn
import torch.nn.functional as F


def cnn(blocks):
    """Convolution, batch norm, ReLU and pooling for each of (filters, kernel); two dense layers."""
    layers, channels, size = [], 3, 32
    for filters, kernel in blocks:
        layers += [nn.Conv2d(channels, filters, kernel, padding=kernel // 2), nn.BatchNorm2d(filters), nn.ReLU(), nn.MaxPool2d(2)]
        channels, size = filters, size // 2
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(channels * size * size, 100), nn.ReLU(), nn.Linear(100, 10))


def convolve(channels, filters, kernel, stride=1):
    conv = nn.Conv2d(channels, filters, kernel, stride, padding=kernel // 2, bias=False)
    return [conv, nn.BatchNorm2d(filters)]


class Residual(nn.Module):
    def __init__(self, channels, filters, stride):
        super().__init__()
        self.long = nn.Sequential(*convolve(channels, filters, 3, stride), nn.ReLU(), *convolve(filters, filters, 3))
        self.short = nn.Sequential(*convolve(channels, filters, 1, stride)) if stride > 1 else nn.Identity()

    def forward(self, x):
        return F.relu(self.long(x) + self.short(x))


def resnet20():
    layers, channels = [*convolve(3, 16, 3), nn.ReLU()], 16
    for filters in (16, 32, 64):
        for _ in range(3):
            layers.append(Residual(channels, filters, 2 if channels < filters else 1))
            channels = filters
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


models = {
    "cnn3": lambda: cnn([(16, 7), (32, 5), (64, 3)]),
    "cnn4": lambda: cnn([(16, 7), (32, 5), (64, 3), (128, 3)]),
    "resnet20": resnet20,
}
