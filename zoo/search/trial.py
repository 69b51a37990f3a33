"""The process of one trial: what it takes in memory ends with it, and what kills it does not end the search."""

import json
import sys
import traceback
from pathlib import Path

from zoo import runs
from zoo.checkpoint import write_atomically
from zoo.errors import ZooError
from zoo.search import lifeline


def main(specification):
    """Trains, or goes on with, the run of a trial, and writes how it ended.

    Args:
        specification: a dict: `recipe`, `folder` (the run's), `seed`, `hyper`, `options` (of `zoo.train`), `until` (an
            epoch, or None) and `outcome`, the file that says how it ended: `{"status": ..., "reason": ...}`.
    """
    from zoo.importing import import_keras

    import_keras()
    write_atomically(specification["outcome"], json.dumps(_outcome(specification)))


def _outcome(specification):
    from zoo.recorder import Interrupted

    try:
        _run(specification)
    except Interrupted:
        return {"status": "stopped", "reason": ""}
    except ZooError as error:
        print(error)
        return {"status": "failed", "reason": str(error)}
    except Exception as error:
        traceback.print_exc()
        words = str(error).strip().splitlines()
        reason = f"{type(error).__name__}: {words[0]}" if words else type(error).__name__
        # TensorFlow's ResourceExhaustedError and JAX's RESOURCE_EXHAUSTED.
        if isinstance(error, MemoryError) or "exhausted" in f"{type(error).__name__} {error}".lower():
            reason = f"out of memory ({reason})"
        return {"status": "failed", "reason": reason}
    return {"status": "complete", "reason": ""}


def _run(specification):
    from zoo import trainer
    from zoo.recorder import Interrupted

    folder, until = Path(specification["folder"]), specification["until"]
    if not (folder / "recipe.json").is_file():
        trainer.train(
            specification["recipe"],
            seed=specification["seed"],
            folder=folder,
            overwrite=True,  # what a trial left that was killed before it began
            export=False,
            pictures=False,
            test=False,
            until=until,
            verbose=2,
            **specification["options"],
            **specification["hyper"],
        )
    elif until is not None and len(runs.history(folder)) >= until and runs.metrics(folder) is None:
        raise Interrupted
    else:
        trainer.resume(folder, until=until, verbose=2)


def describe(specification):
    """Builds the recipe once, as a trial would, and prints what the search must know of it, as a line of JSON."""
    from zoo import doctor, preparation

    _, _, built, _ = preparation.prepare(
        specification["recipe"], specification["hyper"], specification["seed"], **specification["options"]
    )
    for finding in doctor.inspect(built):
        doctor.act(finding, lambda *_: None)
    print(json.dumps({"objective": list(built.objective), "epochs": built.epochs}))


if __name__ == "__main__":
    lifeline.hold()
    if sys.argv[1] == "describe":
        try:
            describe(json.loads(sys.argv[2]))
        except ZooError as error:
            print(error, file=sys.stderr)
            sys.exit(2)
    else:
        main(json.loads(sys.argv[1]))
