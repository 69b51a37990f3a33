"""PyTorch's side of `convnets.py`: what it runs in an environment that has PyTorch.

python benchmarks/convnets_torch.py train resnet20 channels_last 128 FOLDER

FOLDER holds the zoo's weights, pixels and answers, as `convnets_zoo.py reference` writes them.
"""

import sys

import rounds
import torch
import workers
from convnets import IMAGES
from networks_torch import network
from torch import nn

PROFILED = 5


def prepared(name, mode, folder):
    """The model and how pixels (n, height, width, channels) become its input, in the memory format of the mode."""
    model = network(name, folder)
    if mode == "eager":  # PyTorch's own default
        return model, lambda pixels: pixels.permute(0, 3, 1, 2).contiguous()
    return model.to(memory_format=torch.channels_last), lambda pixels: pixels.permute(0, 3, 1, 2)


def train(name, mode, batch, folder, after):
    """Images in memory as uint8, an order of indices an epoch, SGD with momentum in its fused form.

    Args:
        name: one of `networks_torch.NETWORKS`.
        mode: "eager" (PyTorch's defaults), "channels_last", "compile" (that, and the model compiled), "bfloat16"
            (channels last, autocast) or "bfloat16 compile".
        batch: images a step.
        folder: as in `networks_torch.network`.
        after: called after every step; False ends the training.
    """
    model, form = prepared(name, mode, folder)
    shape, count, classes = IMAGES[name]
    x = form(torch.randint(0, 256, (count, *shape), dtype=torch.uint8))
    # Rows of what is contiguous are gathered fastest; the view is the model's memory format again.
    rows = x if x.is_contiguous() else x.permute(0, 2, 3, 1)
    y = torch.randint(0, classes, (count,))
    optimizer = torch.optim.SGD(model.parameters(), 0.01, momentum=0.9, fused=True)
    criterion = nn.CrossEntropyLoss()
    forward = torch.compile(model.train(), dynamic=False) if "compile" in mode else model.train()
    while True:
        total, right = torch.zeros(()), torch.zeros((), dtype=torch.int64)
        for index in torch.randperm(count).split(batch):
            pixels, labels = rows[index], y[index]
            optimizer.zero_grad()
            with torch.autocast("cpu", torch.bfloat16, enabled="bfloat16" in mode):
                logits = forward(pixels if rows is x else pixels.permute(0, 3, 1, 2))
                loss = criterion(logits, labels)
            loss.backward()
            optimizer.step()
            # Keras reports loss and accuracy of the epoch as well.
            total += loss.detach()
            right += (logits.argmax(1) == labels).sum()
            if not after():
                return


def infer(name, mode, batch, folder, after):
    """Raw uint8 images to probabilities; arguments as in `train`. Compiled models are frozen as well."""
    import torch._inductor.config

    torch._inductor.config.freezing = True
    model, form = prepared(name, mode, folder)
    half = "bfloat16" in mode
    if half:
        # The scaling computes in float32 and the rest in bfloat16, as in the zoo.
        model = nn.Sequential(model[0], Half(), model[1:].to(torch.bfloat16))
    model = nn.Sequential(model, nn.Softmax(1))
    forward = torch.compile(model, dynamic=False) if "compile" in mode else model
    images = form(torch.randint(0, 256, (batch, *IMAGES[name][0]), dtype=torch.uint8))
    with torch.inference_mode():
        while True:
            forward(images).float().numpy()
            if not after():
                return


class Half(nn.Module):
    """What comes in, as bfloat16."""

    def forward(self, x):
        return x.to(torch.bfloat16)


def profiled(steps):
    """An `after` that lets some steps pass, and then says how long which kind of operation takes in a step."""
    warm = 3
    profiler = torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU])
    done = 0

    def after():
        nonlocal done
        done += 1
        if done == warm:
            profiler.start()
        if done < warm + steps:
            return True
        profiler.stop()
        rows = [(_kind(e.key), e.self_cpu_time_total / 1e3 / steps, e.count / steps) for e in profiler.key_averages()]
        workers.answer({"kinds": rows})
        return False

    return after


def _kind(name):
    return "a compiled graph: what is fused" if "CompiledFxGraph" in name else name.removeprefix("aten::")


if __name__ == "__main__":
    torch.set_num_threads(rounds.cores())
    what, name, mode, batch, folder = sys.argv[1:]
    workers.begin()
    job = {"train": train, "infer": infer, "profile": train}[what]
    after = profiled(PROFILED) if what == "profile" else workers.Turns(int(batch), ["torch"])
    job(name, mode, int(batch), folder, after)
