"""Four of the zoo's networks in PyTorch, with the zoo's weights; one that does not answer like the zoo's is refused."""

from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

# Szegedy et al. 2014, table 1: #1x1, #3x3 reduce, #3x3, #5x5 reduce, #5x5, pool proj; then whether pooling follows.
INCEPTION = {
    "3a": (64, 96, 128, 16, 32, 32, False),
    "3b": (128, 128, 192, 32, 96, 64, True),
    "4a": (192, 96, 208, 16, 48, 64, False),
    "4b": (160, 112, 224, 24, 64, 64, False),
    "4c": (128, 128, 256, 24, 64, 64, False),
    "4d": (112, 144, 288, 32, 64, 64, False),
    "4e": (256, 160, 320, 32, 128, 128, True),
    "5a": (256, 160, 320, 32, 128, 128, False),
    "5b": (384, 192, 384, 48, 128, 128, False),
}
WEIGHTS = {
    "kernel": "weight",
    "gamma": "weight",
    "beta": "bias",
    "bias": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}
TOLERANCE = 1e-4


class Scaling(nn.Module):
    """Raw pixels 0..255 to -1..1."""

    def forward(self, x):
        return x.float().div_(127.5).sub_(1)


class Shortcut(nn.Module):
    """Every second pixel, and zeros for the channels that are new."""

    def __init__(self, new):
        super().__init__()
        self.new = new

    def forward(self, x):
        return functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 0, self.new))


class Residual(nn.Module):
    """The sum of a path and a shortcut, and a ReLU."""

    def __init__(self, path, short):
        super().__init__()
        self.path, self.short = path, short

    def forward(self, x):
        return functional.relu(self.path(x) + self.short(x), inplace=True)


class Inception(nn.Module):
    """Several paths, their channels one behind the other."""

    def __init__(self, *paths):
        super().__init__()
        self.paths = nn.ModuleList(paths)

    def forward(self, x):
        return torch.cat([path(x) for path in self.paths], 1)


class Maker:
    """Makes the layers that have weights, and knows them by the names that the zoo's have."""

    def __init__(self):
        self.named = {}

    def convolution(self, name, channels, filters, size, stride=1, active=True, suffix=""):
        layer = nn.Conv2d(channels, filters, size, stride, size // 2, bias=False)
        norm = nn.BatchNorm2d(filters, eps=1e-5, momentum=0.1)
        self.named |= {name + suffix: layer, f"{name}_norm": norm}
        return nn.Sequential(layer, norm, *([nn.ReLU(inplace=True)] if active else []))

    def top(self, channels, classes):
        self.named["output"] = nn.Linear(channels, classes)
        return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), self.named["output"])

    def residual(self, name, channels, filters, stride, path, short=None):
        """A block; `path` has (filters, size, stride) of each convolution."""
        layers, width = [], channels
        for number, (wide, size, step) in enumerate(path, 1):
            active = number < len(path)
            layers.append(self.convolution(f"{name}_{number}", width, wide, size, step, active, "_conv"))
            width = wide
        if short is None:
            short = nn.Identity()
            if channels != filters:
                short = self.convolution(f"{name}_short", channels, filters, 1, stride, False, "_conv")
        return Residual(nn.Sequential(*layers), short)


def resnet20(make):
    layers, channels = [make.convolution("stem", 3, 16, 3, suffix="_conv")], 16
    for stage, filters in enumerate((16, 32, 64), 1):
        for block in range(1, 4):
            stride = 2 if channels != filters else 1
            path = ((filters, 3, stride), (filters, 3, 1))
            short = Shortcut(filters - channels) if stride == 2 else nn.Identity()
            layers.append(make.residual(f"stage{stage}_block{block}", channels, filters, stride, path, short))
            channels = filters
    return [*layers, make.top(64, 10)]


def resnet50(make):
    layers = [make.convolution("stem", 3, 64, 7, 2, suffix="_conv"), nn.MaxPool2d(3, 2, 1)]
    channels = 64
    for stage, (blocks, filters) in enumerate(zip((3, 4, 6, 3), (64, 128, 256, 512), strict=True), 1):
        for block in range(1, blocks + 1):
            stride = 2 if stage > 1 and block == 1 else 1
            path = ((filters, 1, 1), (filters, 3, stride), (4 * filters, 1, 1))
            layers.append(make.residual(f"stage{stage}_block{block}", channels, 4 * filters, stride, path))
            channels = 4 * filters
    return [*layers, make.top(2048, 1000)]


def vgg11_small(make):
    layers, channels = [], 3
    for block, widths in enumerate(((64,), (128,), (256, 256), (512, 512), (512, 512)), 1):
        for number, filters in enumerate(widths, 1):
            layers.append(make.convolution(f"block{block}_conv{number}", channels, filters, 3))
            channels = filters
        layers.append(nn.MaxPool2d(2))
    return [*layers, make.top(512, 10)]


def googlenet_small(make):
    layers, channels = [make.convolution("conv1", 3, 192, 3)], 192
    for module, (one, three_reduce, three, five_reduce, five, projected, pooled) in INCEPTION.items():

        def path(*parts, name=f"inception_{module}"):
            return nn.Sequential(*(make.convolution(f"{name}_{part}", *sizes) for part, *sizes in parts))

        layers.append(
            Inception(
                path(("1x1", channels, one, 1)),
                path(("3x3_reduce", channels, three_reduce, 1), ("3x3", three_reduce, three, 3)),
                path(("5x5_reduce", channels, five_reduce, 1), ("5x5", five_reduce, five, 5)),
                nn.Sequential(nn.MaxPool2d(3, 1, 1), path(("pool_proj", channels, projected, 1))),
            )
        )
        channels = one + three + five + projected
        if pooled:
            layers.append(nn.MaxPool2d(3, 2, ceil_mode=True))
    top = make.top(channels, 10)
    return [*layers, *top[:-1], nn.Dropout(0.4), top[-1]]


NETWORKS = {each.__name__: each for each in (resnet20, resnet50, vgg11_small, googlenet_small)}


def network(name, folder):
    """A network with the zoo's weights.

    Args:
        name: one of `NETWORKS`.
        folder: holds `NAME.npz` with the zoo's weights under "layer/variable", and "parameters", "pixels", "logits".

    Returns:
        A `torch.nn.Module` from raw uint8 pixels (batch, channels, height, width) to logits.

    Raises:
        ValueError: it has other layers, parameters or answers than the zoo's network.
    """
    make = Maker()
    model = nn.Sequential(Scaling(), *NETWORKS[name](make))
    with np.load(Path(folder) / f"{name}.npz") as file:
        given = dict(file)
    parameters, pixels, logits = (given.pop(key) for key in ("parameters", "pixels", "logits"))
    if sum(p.numel() for p in model.parameters()) != parameters:
        raise ValueError(f"{name} has not as many parameters here as in the zoo: {parameters}")
    state = {(layer, key): value for layer, part in make.named.items() for key, value in part.state_dict().items()}
    state = {key: value for key, value in state.items() if key[1] != "num_batches_tracked"}
    for path, value in given.items():
        layer, variable = path.split("/")
        value = torch.from_numpy(value)
        value = value.permute(3, 2, 0, 1) if value.ndim == 4 else value.T if value.ndim == 2 else value
        held = state.pop((layer, WEIGHTS[variable]), None)
        if held is None or held.shape != value.shape:
            raise ValueError(f"{name}: no weights here like {path} of the zoo, {tuple(value.shape)}")
        held.copy_(value)
    if state:
        raise ValueError(f"{name} has weights here that the zoo's has not: {sorted(state)}")
    with torch.inference_mode():
        found = model.eval()(torch.from_numpy(pixels).permute(0, 3, 1, 2)).numpy()
    difference = np.abs(found - logits).max() / np.abs(logits).max()
    if not difference < TOLERANCE:
        raise ValueError(f"{name} answers otherwise than the zoo's: {difference:.1e} of the largest logit")
    return model
