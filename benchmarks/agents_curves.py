"""Learning curves of deep Q-learning on CartPole-v1, the zoo's and Stable-Baselines3's, with the same settings.

python benchmarks/agents_curves.py --seeds 5 --to agents_curves

Speed must not be bought with learning. All have the RL Zoo's settings: two layers of 256 units, 128 gradient steps on
batches of 64 after 256 steps, Adam at 0.0023, random actions from all to 4 % over 16 % of 50 000 steps; every 2 048
steps 20 greedy episodes. Writes `returns.csv` and `returns.png`.
"""

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

HERE = Path(__file__).parent
# Rounds of an epoch, and epochs.
ROUNDS, EPOCHS = 8, 24
ENGINES = {"zoo, tensor ops": "tensor", "zoo, gymnasium": "gymnasium"}
PEER = "Stable-Baselines3"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--torch-python", default=sys.executable, help="the interpreter that has Stable-Baselines3")
    parser.add_argument("--to", default="agents_curves", help="folder for the table and the picture")
    arguments = parser.parse_args()
    folder = Path(arguments.to)
    folder.mkdir(parents=True, exist_ok=True)
    found = {name: [] for name in (*ENGINES, PEER)}
    for seed in range(arguments.seeds):
        for name, engine in ENGINES.items():
            found[name].append(learned(seed, engine))
            print(f"seed {seed}: {name} {found[name][-1][-1]['val_return']:.1f}", flush=True)
        command = [arguments.torch_python, str(HERE / "agents_curves_sb3.py"), str(seed), str(EPOCHS), str(ROUNDS)]
        lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
        found[PEER].append(json.loads(lines[-1]))
        print(f"seed {seed}: {PEER} {found[PEER][-1][-1]['val_return']:.1f}", flush=True)
    write(found, folder)


def learned(seed, engine):
    """The returns of one run of the zoo, as a list of dicts."""
    import zoo
    from zoo import runs

    settings = dict(engine=engine, epochs=EPOCHS, steps=ROUNDS, final_rate=1.0, memory=100_000)
    settings |= dict(train_every=256, gradient_steps=128, target_every=128, learning_rate=2.3e-3, batch_size=64)
    settings |= dict(epsilon=0.04, explore=0.16, hidden=(256, 256), double=False, gamma=0.99, rounds=1, episodes=20)
    settings |= dict(n_step=1, warmup=1_000)
    with tempfile.TemporaryDirectory() as folder:
        quiet = dict(folder=Path(folder) / "run", export=False, pictures=False, verbose=0)
        rows = runs.history(zoo.train("dqn_cartpole", seed=seed, **quiet, **settings).folder)
    return [{"step": row["epoch"] * ROUNDS * 256, "val_return": row["val_return"]} for row in rows]


def write(found, folder):
    """The table and the picture."""
    from zoo.pictures.seed_bands import returns

    with open(folder / "returns.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["contender", "seed", "step", "return"])
        for name, histories in found.items():
            for seed, history in enumerate(histories):
                writer.writerows([name, seed, row["step"], row["val_return"]] for row in history)
    figure = returns(found, "CartPole-v1, the same settings: mean return of 20 greedy episodes")
    figure.savefig(folder / "returns.png", dpi=120)
    print(f"Written to {folder}")


if __name__ == "__main__":
    main()
