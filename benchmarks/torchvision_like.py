"""torchvision's classics in PyTorch: the same names, shapes and answers, in any width, for fixtures and comparisons.

AlexNet, VGG, GoogLeNet and ResNet, written from the papers and from what torchvision documents. Names and shapes of the
state dicts are torchvision's, so that its weights load. Inputs are (batch, 3, height, width), normalised.
"""

import torch
from torch import nn
from torch.nn import functional as F

VGG = {
    11: (1, 1, 2, 2, 2),
    13: (2, 2, 2, 2, 2),
    16: (2, 2, 3, 3, 3),
    19: (2, 2, 4, 4, 4),
}
RESNET = {
    18: ((2, 2, 2, 2), False),
    34: ((3, 4, 6, 3), False),
    50: ((3, 4, 6, 3), True),
    101: ((3, 4, 23, 3), True),
    152: ((3, 8, 36, 3), True),
}
INCEPTION = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}
# ImageNet's mean and standard deviation: torchvision's documented preprocessing of pixels 0..1.
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def normalized(pixels):
    """Pixels 0..255, (batch, height, width, 3), as torchvision's networks take them."""
    maps = pixels.permute(0, 3, 1, 2) / 255
    mean, deviation = (maps.new_tensor(each)[:, None, None] for each in (MEAN, DEVIATION))
    return (maps - mean) / deviation


class AlexNet(nn.Module):
    def __init__(self, num_classes=1000, width=1.0, dense=4096):
        super().__init__()
        sizes = ((64, 11, 4, 2), (192, 5, 1, 2), (384, 3, 1, 1), (256, 3, 1, 1), (256, 3, 1, 1))
        before, layers = 3, []
        for number, (filters, size, stride, padding) in enumerate(sizes):
            filters = _scaled(width, filters)
            layers += [nn.Conv2d(before, filters, size, stride, padding), nn.ReLU()]
            if number in (0, 1, 4):
                layers.append(nn.MaxPool2d(3, 2))
            before = filters
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            *(nn.Dropout(), nn.Linear(36 * before, dense), nn.ReLU()),
            *(nn.Dropout(), nn.Linear(dense, dense), nn.ReLU()),
            nn.Linear(dense, num_classes),
        )

    def forward(self, x):
        return self.classifier(F.adaptive_avg_pool2d(self.features(x), 6).flatten(1))


class VGGNet(nn.Module):
    def __init__(self, layers=16, batch_norm=False, num_classes=1000, width=1.0, dense=4096):
        super().__init__()
        before, modules = 3, []
        for number, filters in zip(VGG[layers], (64, 128, 256, 512, 512), strict=True):
            filters = _scaled(width, filters)
            for _ in range(number):
                modules.append(nn.Conv2d(before, filters, 3, padding=1))
                modules += [nn.BatchNorm2d(filters), nn.ReLU()] if batch_norm else [nn.ReLU()]
                before = filters
            modules.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*modules)
        self.classifier = nn.Sequential(
            *(nn.Linear(49 * before, dense), nn.ReLU(), nn.Dropout()),
            *(nn.Linear(dense, dense), nn.ReLU(), nn.Dropout()),
            nn.Linear(dense, num_classes),
        )

    def forward(self, x):
        return self.classifier(F.adaptive_avg_pool2d(self.features(x), 7).flatten(1))


class Convolution(nn.Module):
    """GoogLeNet's: without bias, normalised with epsilon 0.001, ReLU."""

    def __init__(self, before, filters, size, stride=1):
        super().__init__()
        self.conv = nn.Conv2d(before, filters, size, stride, size // 2, bias=False)
        self.bn = nn.BatchNorm2d(filters, eps=1e-3)

    def forward(self, x):
        return F.relu(self.bn(self.conv(x)))


class Inception(nn.Module):
    def __init__(self, before, one, three_reduce, three, five_reduce, five, projected):
        super().__init__()
        self.branch1 = Convolution(before, one, 1)
        self.branch2 = nn.Sequential(Convolution(before, three_reduce, 1), Convolution(three_reduce, three, 3))
        # torchvision has 3 x 3 in the place of the paper's 5 x 5.
        self.branch3 = nn.Sequential(Convolution(before, five_reduce, 1), Convolution(five_reduce, five, 3))
        self.branch4 = nn.Sequential(nn.MaxPool2d(3, 1, 1), Convolution(before, projected, 1))

    def forward(self, x):
        return torch.cat([self.branch1(x), self.branch2(x), self.branch3(x), self.branch4(x)], 1)


class Auxiliary(nn.Module):
    def __init__(self, before, num_classes, width):
        super().__init__()
        filters, units = _scaled(width, 128), _scaled(width, 1024)
        self.conv = Convolution(before, filters, 1)
        self.fc1 = nn.Linear(16 * filters, units)
        self.fc2 = nn.Linear(units, num_classes)

    def forward(self, x):
        x = self.conv(F.adaptive_avg_pool2d(x, 4)).flatten(1)
        return self.fc2(F.dropout(F.relu(self.fc1(x)), 0.7, self.training))


class GoogLeNet(nn.Module):
    """Answers with the logits and those of the two auxiliary classifiers, in training or not.

    Args:
        num_classes: of each.
        width: factor on all channels.
        transform_input: whether inputs are turned back to -1..1, as torchvision does for its published weights.
    """

    def __init__(self, num_classes=1000, width=1.0, transform_input=True):
        super().__init__()
        self.transform_input = transform_input
        before = _scaled(width, 192)
        self.conv1 = Convolution(3, _scaled(width, 64), 7, 2)
        self.conv2 = Convolution(_scaled(width, 64), _scaled(width, 64), 1)
        self.conv3 = Convolution(_scaled(width, 64), before, 3)
        for name, filters in INCEPTION.items():
            filters = [_scaled(width, each) for each in filters]
            setattr(self, f"inception{name}", Inception(before, *filters))
            before = filters[0] + filters[2] + filters[4] + filters[5]
            if name in ("4a", "4d"):
                setattr(self, "aux1" if name == "4a" else "aux2", Auxiliary(before, num_classes, width))
        self.dropout = nn.Dropout(0.2)
        self.fc = nn.Linear(before, num_classes)

    def forward(self, x):
        if self.transform_input:
            mean, deviation = (x.new_tensor(each)[:, None, None] for each in (MEAN, DEVIATION))
            x = x * (deviation / 0.5) + (mean - 0.5) / 0.5
        x = F.max_pool2d(self.conv1(x), 3, 2, ceil_mode=True)
        x = F.max_pool2d(self.conv3(self.conv2(x)), 3, 2, ceil_mode=True)
        x = F.max_pool2d(self.inception3b(self.inception3a(x)), 3, 2, ceil_mode=True)
        x = self.inception4a(x)
        aux1 = self.aux1(x)
        x = self.inception4d(self.inception4c(self.inception4b(x)))
        aux2 = self.aux2(x)
        x = F.max_pool2d(self.inception4e(x), 2, 2, ceil_mode=True)
        x = self.inception5b(self.inception5a(x))
        return {"logits": self.fc(self.dropout(x.mean((2, 3)))), "aux1": aux1, "aux2": aux2}


class Block(nn.Module):
    def __init__(self, before, filters, stride, bottleneck):
        super().__init__()
        after = 4 * filters if bottleneck else filters
        plan = (
            ((filters, 1, 1), (filters, 3, stride), (after, 1, 1))
            if bottleneck
            else ((filters, 3, stride), (after, 3, 1))
        )
        self.length, channels = len(plan), before
        for number, (outputs, size, step) in enumerate(plan, 1):
            setattr(self, f"conv{number}", nn.Conv2d(channels, outputs, size, step, size // 2, bias=False))
            setattr(self, f"bn{number}", nn.BatchNorm2d(outputs))
            channels = outputs
        self.downsample = None
        if stride > 1 or before != after:
            self.downsample = nn.Sequential(nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after))

    def forward(self, x):
        short = x if self.downsample is None else self.downsample(x)
        for number in range(1, self.length + 1):
            x = getattr(self, f"bn{number}")(getattr(self, f"conv{number}")(x))
            x = F.relu(x) if number < self.length else x
        return F.relu(x + short)


class ResNet(nn.Module):
    def __init__(self, blocks=(2, 2, 2, 2), bottleneck=False, num_classes=1000):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        before = 64
        for stage, (number, filters) in enumerate(zip(blocks, (64, 128, 256, 512), strict=True), 1):
            modules = []
            for block in range(number):
                modules.append(Block(before, filters, 2 if stage > 1 and block == 0 else 1, bottleneck))
                before = 4 * filters if bottleneck else filters
            setattr(self, f"layer{stage}", nn.Sequential(*modules))
        self.fc = nn.Linear(before, num_classes)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(x.mean((2, 3)))


def build(name, **arguments):
    """A network by torchvision's name, such as "vgg16_bn"."""
    if name == "alexnet":
        return AlexNet(**arguments)
    if name == "googlenet":
        return GoogLeNet(**arguments)
    if name.startswith("vgg"):
        layers, _, kind = name.removeprefix("vgg").partition("_")
        return VGGNet(int(layers), kind == "bn", **arguments)
    blocks, bottleneck = RESNET[int(name.removeprefix("resnet"))]
    return ResNet(**{"blocks": blocks, "bottleneck": bottleneck, **arguments})


def _scaled(width, filters):
    return max(1, round(width * filters))
