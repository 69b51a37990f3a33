"""PyTorch's side of `recurrent.py`: what it runs in an environment that has PyTorch.

python benchmarks/recurrent_torch.py 1 256 64 64 float32
"""

import pydoc_data.topics
import sys

import torch
import workers
from torch import nn


class Network(nn.Module):
    """The network of `zoo.build("lstm")`: one-hot characters, layers of LSTM, logits."""

    def __init__(self, symbols, units, layers):
        super().__init__()
        self.symbols = symbols
        self.lstm = nn.LSTM(symbols, units, layers, batch_first=True)
        self.logits = nn.Linear(units, symbols)

    def forward(self, places):
        return self.logits(self.lstm(nn.functional.one_hot(places, self.symbols).to(torch.float32))[0])


def train(layers, units, batch, length, precision, after):
    """Characters in memory, slices in random order, fused Adam, the gradient's norm cut back to 1.

    Args:
        layers, units, batch, length: as in `recurrent.py`.
        precision: "float32", or "bfloat16" by autocast.
        after: called after every step; False ends the training.
    """
    topics = pydoc_data.topics.topics
    text = "\n".join(topics[key] for key in sorted(topics))
    symbols = sorted(set(text))
    places = torch.tensor([symbols.index(each) + 2 for each in text])
    model, criterion = Network(len(symbols) + 2, units, layers), nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), 1e-3, fused=True)
    starts = torch.arange(0, len(places) - length - 1, length)
    while True:
        total, right = torch.zeros(()), torch.zeros((), dtype=torch.int64)
        for index in torch.randperm(len(starts)).split(batch):
            if len(index) < batch:
                break
            slices = places[starts[index, None] + torch.arange(length + 1)]
            optimizer.zero_grad()
            with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
                logits = model(slices[:, :-1])
                loss = criterion(logits.flatten(0, 1).float(), slices[:, 1:].flatten())
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            # Keras reports loss and accuracy of the epoch as well.
            total += loss.detach()
            right += (logits.argmax(-1) == slices[:, 1:]).sum()
            if not after():
                return


if __name__ == "__main__":
    workers.begin()
    *numbers, precision = sys.argv[1:6]
    layers, units, batch, length = map(int, numbers)
    train(layers, units, batch, length, precision, workers.Turns(batch * length, ["torch"]))
