"""Deep Q-learning on CartPole-v1: steps in the environment a second of the whole loop, against Stable-Baselines3's DQN.

python benchmarks/agents.py --csv agents.csv

Acting, remembering, drawing and gradient steps on batches of 64, of a network of two layers. Two schedules: a gradient
step a step ("1:1", 64 units), and 128 gradient steps after 256 steps ("256:128", 256 units), which is what the RL Zoo
has for CartPole.
"""

import argparse
import dataclasses
import os
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import rounds
import workers

HERE = Path(__file__).parent
BATCH = 64
PACKAGES = ["tensorflow", "keras", "gymnasium"]
# Units of a layer; and for each contender environments side by side, and steps and gradient steps of a round.
UNITS = {"1:1": 64, "256:128": 256}
ROUND = {
    ("1:1", "zoo tensor"): (1, 1, 1),
    ("1:1", "zoo gymnasium"): (8, 256, 256),
    ("1:1", "zoo gymnasium, 1 env"): (1, 256, 256),
    ("1:1", "sb3"): (1, 1, 1),
    ("1:1", "sb3, 8 envs, 8 updates"): (8, 8, 8),
    ("1:1", "sb3, 8 envs, 256 updates"): (8, 256, 256),
    ("256:128", "zoo tensor"): (1, 256, 128),
    ("256:128", "zoo gymnasium"): (8, 256, 128),
    ("256:128", "sb3"): (1, 256, 128),
    ("256:128", "sb3, 8 envs"): (8, 256, 128),
}
# Steps that a call into the graph takes, where a round is one step.
CALL = 2000


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--schedule", nargs="+", choices=UNITS, default=list(UNITS))
    parser.add_argument("--rounds", type=int, default=3, help="turns of each contender")
    parser.add_argument("--seconds", type=float, default=4.0, help="how long each turn is measured")
    parser.add_argument("--patience", type=float, default=rounds.PATIENCE, help="seconds to wait for a quiet machine")
    parser.add_argument("--torch-python", default=sys.executable, help="the interpreter that has Stable-Baselines3")
    parser.add_argument("--csv", help="file to write the table to")
    arguments = parser.parse_args()
    rows = []
    for schedule in arguments.schedule:
        with tempfile.TemporaryDirectory() as folder:
            commands = {
                name: command(schedule, name, arguments.torch_python, folder) for key, name in ROUND if key == schedule
            }
            found = workers.take_turns(commands, arguments)
        rows += rounds.table(found, "zoo tensor", schedule=schedule) if found else []
    if not rows:
        raise SystemExit("no contender got to an answer")
    rounds.show(rows, arguments.csv, "Steps")


def command(schedule, name, torch_python, folder):
    """The command line of a contender."""
    numbers = [str(UNITS[schedule]), *map(str, ROUND[schedule, name])]
    if name.startswith("sb3"):
        return [torch_python, str(HERE / "agents_sb3.py"), *numbers]
    return [sys.executable, __file__, "work", "tensor" if "tensor" in name else "gymnasium", *numbers, folder]


def search(hp):
    return dict(units=hp.Choice("units", [64, 256]))


def recipe(epochs=1000, engine="tensor", units=64, count=1, train_every=1, gradient_steps=1):
    """What the zoo's workers train through `zoo.train`.

    Args:
        epochs: at most.
        engine: "tensor" or "gymnasium".
        units: width of the two layers.
        count: environments side by side.
        train_every: steps of a round.
        gradient_steps: gradient steps of a round.
    """
    import keras
    from clock import Steps

    import zoo
    from callbacks import Schedule, linear

    options = dict(count=count, train_every=train_every, gradient_steps=gradient_steps, engine=engine)
    options |= dict(rounds=CALL if train_every == 1 else 1, episodes=1, test_episodes=1)
    data = zoo.data.experience("CartPole-v1", 100_000, BATCH, **options)
    agent = zoo.build("dqn", hidden=(units, units))
    agent.compile(keras.optimizers.Adam(1e-3, global_clipnorm=10.0), target_every=100)
    callbacks = [data.train.acting, Schedule("epsilon", linear(1.0, 0.05), epochs=0.001), Steps()]
    return zoo.Recipe(agent, dataclasses.replace(data, validation=None), epochs, callbacks, ("loss", "min"))


def work(engine, units, count, train_every, gradient_steps, folder):
    """What a worker of the zoo does: it trains, and measures when it is its turn."""
    from clock import Steps

    import zoo

    Steps.after = workers.Turns(train_every * (CALL if train_every == 1 else 1), PACKAGES)
    sizes = dict(units=units, count=count, train_every=train_every, gradient_steps=gradient_steps)
    quiet = dict(export=False, pictures=False, verbose=0)
    zoo.train(__file__, folder=Path(folder) / f"{engine}-{count}", engine=engine, **sizes, **quiet)


if __name__ == "__main__":
    if sys.argv[1:2] == ["work"]:
        workers.begin()
        work(sys.argv[2], *map(int, sys.argv[3:7]), sys.argv[7])
    else:
        main()
