"""LeNet in PyTorch, as a fair opponent: what the two benchmarks run in an environment that has PyTorch.

python benchmarks/lenet_torch.py train eager 256 relu max 4.0
python benchmarks/lenet_torch.py infer compile 1 2.0
"""

import sys
import time

import rounds
import torch
from torch import nn

IMAGES = 54_000


def lenet(activation="relu", pooling="max"):
    """The network of `zoo.build("lenet")`, without the scaling."""
    active = {"relu": nn.ReLU, "sigmoid": nn.Sigmoid, "tanh": nn.Tanh}[activation]
    pool = {"max": nn.MaxPool2d, "average": nn.AvgPool2d}[pooling]
    return nn.Sequential(
        *(nn.Conv2d(1, 6, 5, padding=2), active(), pool(2)),
        *(nn.Conv2d(6, 16, 5), active(), pool(2), nn.Flatten()),
        *(nn.Linear(400, 120), active(), nn.Linear(120, 84), active(), nn.Linear(84, 10)),
    )


def train(mode, batch, activation, pooling, seconds):
    """Images in memory as uint8, an order of indices an epoch, scaling on the fly, fused Adam.

    Args:
        mode: "eager", "compile" (the model is compiled), or "bfloat16" (compiled, under autocast).
        batch: images a step.
        activation, pooling: as in `lenet`.
        seconds: how long to measure, after the first epoch.
    """
    x = torch.randint(0, 256, (IMAGES, 1, 28, 28), dtype=torch.uint8)
    y = torch.randint(0, 10, (IMAGES,))
    model, criterion = lenet(activation, pooling), nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), 0.001, fused=True)
    # Without dynamic=False the epoch's smaller last batch makes all shapes dynamic, which is slower.
    forward = model if mode == "eager" else torch.compile(model, dynamic=False)

    def epoch():
        total, right = torch.zeros(()), torch.zeros((), dtype=torch.int64)
        for index in torch.randperm(IMAGES).split(batch):
            optimizer.zero_grad()
            with torch.autocast("cpu", torch.bfloat16, enabled=mode == "bfloat16"):
                logits = forward(x[index].float().div_(255))
                loss = criterion(logits, y[index])
            loss.backward()
            optimizer.step()
            # Keras reports loss and accuracy of the epoch as well.
            total += loss.detach()
            right += (logits.argmax(1) == y[index]).sum()
        return total.item(), right.item()

    epoch()
    rates = []
    with rounds.Meter() as meter:
        began = time.perf_counter()
        while len(rates) < 2 or time.perf_counter() - began < seconds:
            before = time.perf_counter()
            epoch()
            rates.append(IMAGES / (time.perf_counter() - before))
    rounds.report(rates, meter, ["torch"])


def infer(mode, batch, seconds):
    """Raw uint8 images to probabilities.

    Args:
        mode: "eager", "compile", or "frozen" (`torch.jit.freeze` of the traced model).
        batch: images a call.
        seconds: how long to measure.
    """
    model = nn.Sequential(lenet(), nn.Softmax(1)).eval()
    images = torch.randint(0, 256, (batch, 1, 28, 28), dtype=torch.uint8)
    if mode == "frozen":
        model = torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.trace(model, images.float())))
    if mode == "compile":
        model = torch.compile(model)
    with torch.inference_mode():
        rates, meter = rounds.timed(lambda: model(images.float().div_(255)).numpy(), batch, seconds)
    rounds.report(rates, meter, ["torch"])


if __name__ == "__main__":
    torch.set_num_threads(rounds.cores())
    what, mode, batch, *rest = sys.argv[1:]
    {"train": train, "infer": infer}[what](mode, int(batch), *rest[:-1], float(rest[-1]))
