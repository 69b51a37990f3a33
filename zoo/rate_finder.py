"""`zoo train NAME --find-lr`: a recipe's network and data, its learning rate swept from tiny to huge."""

from pathlib import Path

from callbacks import LRFinder
from zoo import preparation, report, runs
from zoo.data import feeding
from zoo.data.shards import failures_told
from zoo.errors import ZooError


@failures_told()
def find_learning_rate(
    name, *, seed=0, folder=None, low=1e-6, high=10.0, steps=200, precision="auto", verbose=2, **hyper
):
    """Tries learning rates from tiny to huge on a recipe, in a few seconds, and suggests one (Smith 2017, section 3.3).

    Nothing is trained to its end, and no run folder is left, only the picture. The recipe's own callbacks do not run.

    Args:
        name: a recipe's name or path.
        seed: as in `zoo.train`.
        folder: where the picture goes; by default `runs/NAME`.
        low, high: the first and the last rate.
        steps: training steps from one to the other.
        precision: as in `zoo.train`.
        verbose: 0 is silent.
        **hyper: the recipe's own hyper-parameters.

    Returns:
        A pair: the suggested rate, and the path of the picture.

    Raises:
        ZooError: as `zoo.train`; or the loss fell nowhere, so that there is nothing to suggest.

    Example:
        >>> rate, picture = zoo.find_learning_rate("mlp_digits", steps=30, verbose=0)
        >>> 1e-6 < rate < 10, picture.name
        (True, 'find-lr.png')
    """
    source, hyper, built, _ = preparation.prepare(name, hyper, seed, precision, 1)
    finder = LRFinder(low, high, steps)
    built.model.fit(
        feeding.feed(built.data.train),
        epochs=-(-steps // built.data.train.steps),
        steps_per_epoch=built.data.train.steps,
        callbacks=[finder],
        shuffle=False,
        verbose=0,
    )
    if finder.suggestion is None:
        raise ZooError(f"the loss fell at no rate from {low} to {high}; the model does not learn as it is")
    folder = Path(folder) if folder else runs.root() / Path(source.name).stem
    folder.mkdir(parents=True, exist_ok=True)
    picture = report.save(finder.figure(), folder / "find-lr.png")
    if verbose:
        flag = "learning_rate" in hyper
        command = f": zoo train {name} --learning-rate {finder.suggestion:.2g}" if flag else ""
        print(f"suggested learning rate {finder.suggestion:.2g}{command}\n{picture}")
    return finder.suggestion, picture
