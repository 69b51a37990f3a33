"""`zoo generate RUN`: new examples from a trained model, for the tasks whose models can make some."""

from pathlib import Path

from zoo import _staging, densities, runs
from zoo.errors import ZooError, choose, require
from zoo.seeding import check_seed

MOST = 1024


def generate(run, n=64, density="gmm", components=None, seed=0, to=None, overwrite=False, verbose=1):
    """Generates images from a run's model, and writes them into one picture.

    From an autoencoder: a density is fitted to the codes of its training images, codes are drawn from it, and decoded.

    Args:
        run: a finished run folder.
        n: images, 1 to 1024.
        density: "gmm", a mixture of Gaussians, or "kde", a kernel density.
        components: Gaussians of the mixture; None takes as many as give held-out codes the highest likelihood.
        seed: of the fit and of the draws: the same seed gives the same picture.
        to: PNG file, by default `generated.png` in the run folder; folders that are missing are made.
        overwrite: whether a file that is there is replaced.
        verbose: 0 says nothing of the density.

    Returns:
        The path of the picture.

    Raises:
        ZooError: not a finished run, a model that generates nothing, an argument out of range, a file that is there
            already; nothing was written.
    """
    densities.check_count(n, MOST)
    choose("density", density, densities.KINDS)
    seed = check_seed(seed)
    folder = Path(run)
    runs.read(folder)
    path = folder / "generated.png" if to is None else Path(to)
    require(path.suffix.lower() == ".png", "to", str(path), "the path of a .png file")
    _staging.refuse_existing([path], overwrite)

    from zoo.loading import load
    from zoo.report import save
    from zoo.tasks import task_of

    model = load(folder)
    task = task_of(model)
    if task not in GENERATORS:
        raise ZooError(
            f"the run {folder} is of a model for {task}, which generates nothing. Models that do are those for "
            f"{', '.join(GENERATORS)}"
        )
    figure, said = GENERATORS[task](folder, model, n, seed, density=density, components=components)
    with _staging.staged([path]) as scratch:
        save(figure, scratch / path.name)
    if verbose:
        print(said)
    return path


def from_codes(folder, model, n, seed, density, components):
    """Images decoded from codes that a density of the training codes gave.

    Args:
        folder: the run folder, for its data.
        model: its autoencoder.
        n, seed, density, components: as in `generate`.

    Returns:
        A matplotlib figure, and a sentence on the density.
    """
    from zoo import codes, preparation
    from zoo.pictures.densities import samples

    coded = codes.Coded(model, preparation.rebuild(folder).data)
    fitted = densities.fit(coded.train_codes, density, components, held_out=coded.validation_codes, seed=seed)
    images = codes.decode(model, fitted.sample(n, seed))
    return samples([(str(fitted).replace("; ", "\n"), images)]), str(fitted)


# What generates, by task: `function(folder, model, n, seed, **options)` returns a figure and a sentence.
GENERATORS = {"autoencoding": from_codes}
