"""The pages that `zoo draw` draws, by name: each is made without a run, from formulas or small networks."""

import importlib
from pathlib import Path

from zoo import _staging
from zoo.errors import choose, require

# Module, function, one line. Strings, so that the table can be shown without importing Keras.
PICTURES = {
    "activations": ("zoo.pictures.activations", "page", "activations and their derivatives"),
    "convergence": (
        "zoo.pictures.convergence",
        "page",
        "what converges, on and off policy, by experiment",
    ),
    "convolution": ("zoo.pictures.convolution", "page", "kernels, padding, stride, edges and pooling by number"),
    "curves": ("callbacks", "draw_curves", "curves for the learning rate, by name"),
    "gates": ("zoo.pictures.through_time", "page", "gradients through time: plain RNN, LSTM and GRU, trained and not"),
    "saturation": ("zoo.pictures.saturation", "page", "squared error and cross-entropy on a saturated softmax"),
    "td_lambda": ("zoo.pictures.td_lambda", "page", "TD(lambda) on the random walk: the error by rate and lambda"),
}


def names():
    """The pages that `draw` knows.

    Returns:
        A dict from names to what each page shows, in a line.

    Example:
        >>> "activations" in names()
        True
    """
    return {name: meaning for name, (_, _, meaning) in PICTURES.items()}


def draw(name, path=None, overwrite=False):
    """Draws one of the zoo's pages into a PNG file.

    Args:
        name: one of `names()`.
        path: where; it ends in `.png`, and folders that are missing are made. By default `NAME.png` in the current
            folder.
        overwrite: whether a file that is there is replaced.

    Returns:
        The path.

    Raises:
        ZooError: an unknown name, a path that is not a PNG file's, or one that is there already.

    Example:
        >>> zoo.draw("saturation").name
        'saturation.png'
    """
    module, function, _ = PICTURES[choose("name", name, PICTURES)]
    path = Path(f"{name}.png" if path is None else path)
    require(path.suffix.lower() == ".png", "path", str(path), "the path of a .png file")
    _staging.refuse_existing([path], overwrite)
    from zoo.report import save

    figure = getattr(importlib.import_module(module), function)()
    with _staging.staged([path]) as folder:
        save(figure, folder / path.name)
    return path
