"""What a memory of 84 x 84 frames takes, and how fast it is drawn from.

python benchmarks/replay_memory.py

Fills the zoo's memory with frames of noise, which no trick compresses, and reads what the process holds.
"""

import argparse
import time
from pathlib import Path

import numpy as np

COUNT, BATCH = 8, 32


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--transitions", type=int, default=100_000)
    arguments = parser.parse_args()
    from zoo.replay import Replay

    before = held()
    replay = Replay(arguments.transitions, COUNT, (84, 84, 1), "uint8", stack=4)
    random = np.random.default_rng(0)
    began = time.perf_counter()
    for step in range(arguments.transitions // COUNT):
        frames = random.integers(0, 256, (COUNT, 84, 84, 1), np.uint8)
        replay.add(frames, [0] * COUNT, [0.0] * COUNT, [False] * COUNT, [step % 1000 == 999] * COUNT)
    filled = time.perf_counter() - began
    taken = held() - before
    began, draws = time.perf_counter(), 0
    while time.perf_counter() - began < 3:
        replay.draw((1, BATCH), random)
        draws += 1
    drawn = draws / (time.perf_counter() - began)
    each = taken / arguments.transitions
    print(f"{arguments.transitions:,} transitions of 4 frames: {taken / 1e9:.3f} GB, {each / 1000:.2f} GB a million")
    print(f"filled in {filled:.1f} s; {drawn:,.0f} batches of {BATCH} drawn a second")


def held():
    """Bytes of memory that the process holds (Linux)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * int(next(line.split()[1] for line in lines if line.startswith("VmRSS")))


if __name__ == "__main__":
    main()
