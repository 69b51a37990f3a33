"""A model of language in PyTorch that writes symbol by symbol, as a fair opponent: what `writing.py` runs.

python benchmarks/writing_torch.py 1 256 98 4.0
"""

import sys
import time

import rounds
import torch
from torch import nn

PIECE = 100


def main(layers, units, size, seconds):
    """Steps eagerly, the state carried, sampling from the softmax: what a tutorial of PyTorch does, without gradients.

    One thread or all cores: what is faster is taken.

    Args:
        layers: LSTM layers.
        units: width of each.
        size: symbols.
        seconds: how long to measure.
    """
    # A lookup in rows of ones and zeros, for a one-hot input, as the zoo's network has.
    embedding = nn.Embedding.from_pretrained(torch.eye(size))
    lstm, logits = nn.LSTM(size, units, layers, batch_first=True).eval(), nn.Linear(units, size)

    def write():
        symbol, state = torch.tensor([[5]]), None
        for _ in range(PIECE):
            output, state = lstm(embedding(symbol), state)
            weights = torch.softmax(logits(output[:, 0]), -1)
            symbol = torch.multinomial(weights, 1)
            symbol.item()  # the character is shown

    with torch.inference_mode():
        torch.set_num_threads(min((1, rounds.cores()), key=lambda count: _seconds(write, count)))
        rates, meter = rounds.timed(write, PIECE, seconds)
    rounds.report(rates, meter, ["torch"])


def _seconds(call, threads):
    torch.set_num_threads(threads)
    call()
    began = time.perf_counter()
    for _ in range(5):
        call()
    return time.perf_counter() - began


if __name__ == "__main__":
    layers, units, size, seconds = sys.argv[1:]
    main(int(layers), int(units), int(size), float(seconds))
