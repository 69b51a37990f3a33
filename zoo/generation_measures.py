"""What a judge says of a model that makes images from noise, in numbers: the measures of a recipe.

`Scores` is one; `class_figures` and `diversity` are what it has of the judge's answers beside the distances of
`zoo.generation_scores`.
"""

from typing import NamedTuple

import numpy as np

from zoo.errors import ZooError, require
from zoo.generation_scores import (
    NEIGHBOURS,
    features_of,
    frechet_distance,
    kernel_distance,
    memorisation,
    nearest,
    precision_recall,
)
from zoo.judging import judge as find_judge
from zoo.seeding import check_seed

# Images of a part that are judged at most; and of these, those whose nearest training images are looked for.
MOST, SOUGHT = 10_000, 1000
# A class is produced when its share is at least the real one divided by this: a classifier errs now and then.
PRODUCED = 10


class ClassFigures(NamedTuple):
    """How the classes of generated examples are spread.

    Args:
        produced: number of classes whose share is at least a tenth of their share of the real examples; classes that no
            real example has do not count.
        real: number of classes that real examples have.
        divergence: Kullback-Leibler divergence of the generated histogram from the real one in nats, >= 0.
        deviation: largest deviation of a class's share from a uniform one, as a part of that: 0.2 where all shares are
            within 20 % of 1 / classes.
    """

    produced: int
    real: int
    divergence: float
    deviation: float


def class_figures(real, fake, classes):
    """How the classes of generated examples are spread, beside those of real ones.

    The divergence is the sum over classes of q ln(q / p), q and p being the shares of a class in `fake` and `real`. A
    class that no real example has counts as half an example in p, so that it is finite; it is 0 for equal histograms,
    and ln(10) when one of ten equally frequent classes is all that is made.

    Args:
        real, fake: class numbers (n,) and (m,), 0..classes - 1, one at least.
        classes: how many there are, an integer >= 2.

    Returns:
        `ClassFigures`.

    Raises:
        ZooError: no class numbers.

    Example:
        >>> figures = class_figures([0, 1, 2, 3], [0, 0, 0, 1], 4)
        >>> figures.produced, round(figures.divergence, 3), figures.deviation
        (2, 0.824, 2.0)
    """
    counts = []
    for name, numbers in (("real", np.asarray(real)), ("fake", np.asarray(fake))):
        fits = numbers.ndim == 1 and numbers.size and numbers.dtype.kind in "iu" and numbers.min() >= 0
        if not fits or numbers.max() >= classes:
            raise ZooError(f"{name} must be class numbers (n,), 0..{classes - 1}. Received: {numbers!r}")
        counts.append(np.bincount(numbers, minlength=classes))
    made = counts[1] / counts[1].sum()
    known = np.maximum(counts[0], 0.5)
    known = known / known.sum()
    present = made > 0
    divergence = (made[present] * np.log(made[present] / known[present])).sum()
    # In whole numbers, which no rounding can move over the edge.
    produced = present & (counts[0] > 0) & (PRODUCED * counts[1] * counts[0].sum() >= counts[0] * counts[1].sum())
    return ClassFigures(
        int(produced.sum()),
        int((counts[0] > 0).sum()),
        float(max(0.0, divergence)),
        float(np.abs(made * classes - 1).max()),
    )


def diversity(real, real_classes, fake, fake_classes):
    """How much generated examples of a class differ from each other, as a part of how much real ones do.

    The root of the mean squared distance of features to the mean of their class, in `fake`, over the same in `real`. 1
    is as it should be; near 0 each class has one image, which the histogram of classes does not show.

    Args:
        real, fake: features (n, d) and (m, d).
        real_classes, fake_classes: the classes (n,) and (m,).

    Returns:
        A float >= 0; 1.0 where the real examples of a class do not differ either.

    Raises:
        ZooError: no such tables, or values that are not finite.

    Example:
        >>> real, fake = np.array([[-4.0], [4], [18], [22]]), np.array([[-1.0], [1], [20], [20]])
        >>> round(diversity(real, np.array([0, 0, 1, 1]), fake, np.array([0, 0, 1, 1])), 3)
        0.224
    """
    real, fake = features_of(real, fake, 1)
    true, made = (
        sum(np.square(table[classes == k] - table[classes == k].mean(0)).sum() for k in np.unique(classes)) / len(table)
        for table, classes in ((real, real_classes), (fake, fake_classes))
    )
    return float(np.sqrt(made / true)) if true else 1.0


class Scores:
    """A measure of a recipe: how good the images are that a model makes from noise.

    For a part of the data, as many images are generated as the part has. A judge looks at them, at the part's images,
    and at equally many others drawn from the training images. What the training images score beside the part's is the
    floor: no distance of real data from real data is smaller, and as Frechet's distance grows when examples are few, it
    means nothing without its floor. (For the part "train" both are halves of it.) It prints nothing.

    The numbers, all floats, the same for every part:

    - `frechet`, `kernel`: `frechet_distance` and `kernel_distance` of features, with `frechet_floor`, `kernel_floor`.
    - `precision`, `recall`: `precision_recall`; `precision_real` and `recall_real` of the training images, which they
      reach at best, about.
    - `classes`: how many are produced; `class_kl`, `class_deviation`: see `class_figures`; `class_kl_floor` and
      `class_deviation_real` of the training images.
    - `diversity`: see the function.
    - `label_accuracy`: of a model that is told a class, the share of its images in which the judge sees that class;
      only where both know equally many.
    - `memorisation`: of 1 000 images at most of each kind, see `zoo.generation_scores.memorisation`. (In the part
      "train" a real image's nearest other one counts.)

    Args:
        judge: what `zoo.judging.judge` takes.
        n: images of each kind at most, an integer >= 4. With 10 000 of MNIST and LeNet's 84 features it takes some 11 s
            of processor time, beside what it takes to generate them.
        seed: integer, of the noise and of every draw.

    Attributes:
        judge: the `zoo.judging.Judge`. Its `name` belongs beside the numbers.

    Raises:
        ZooError: no such judge, a number out of range; when it is called: a model that makes no images from noise,
            images that the judge does not take, fewer than 4.

    Example:
        >>> measure = Scores("digits", n=50)
        >>> model = zoo.build("dcgan", image_shape=(8, 8, 1), width=4)
        >>> scores = measure(model, zoo.data.images("digits", seed=0), "test")
        >>> scores["frechet"] > scores["frechet_floor"], scores["classes"] < 10
        (True, True)
    """

    def __init__(self, judge, n=MOST, seed=0):
        check_count(n)
        self.judge = find_judge(judge)
        self.n = n
        self.seed = check_seed(seed)

    def __call__(self, model, data, part):
        check_model(model)
        real, other = self._real(data, part)
        made = model.sample(len(real), seed=self.seed)
        (true, true_classes), (known, known_classes), (found, found_classes) = map(self.judge.look, (real, other, made))
        scores = {}
        for ending, features in (("", found), ("floor", known)):
            scores[_named("frechet", ending)] = frechet_distance(true, features)
            scores[_named("kernel", ending)] = kernel_distance(true, features, seed=self.seed)
        for ending, features in (("", found), ("real", known)):
            precision, recall = precision_recall(true, features)
            scores |= {_named("precision", ending): precision, _named("recall", ending): recall}
        count = len(self.judge.labels)
        figures, floor = (class_figures(true_classes, each, count) for each in (found_classes, known_classes))
        scores |= {"classes": figures.produced, "class_kl": figures.divergence, "class_kl_floor": floor.divergence}
        scores |= {"class_deviation": figures.deviation, "class_deviation_real": floor.deviation}
        scores["diversity"] = diversity(true, true_classes, found, found_classes)
        if getattr(model, "classes", None) == count:
            scores["label_accuracy"] = (found_classes == np.arange(len(made)) % count).mean()
        train = data.train.arrays[0]
        own = part == "train"  # where the nearest of all is the image itself
        near = nearest(real[:SOUGHT], train, 2 if own else 1)[1][:, -1]
        scores["memorisation"] = memorisation(nearest(made[:SOUGHT], train)[1], near)
        return {name: float(value) for name, value in scores.items()}

    def _real(self, data, part):
        """Images of a part, and as many others of the training part."""
        images, train = data.parts[part].arrays[0], data.train.arrays[0]
        self.judge.check(images)
        random = np.random.default_rng(self.seed)
        if part == "train":
            n = min(self.n, len(train) // 2)
            order = random.permutation(len(train))
            return train[order[:n]], train[order[n : 2 * n]]
        n = min(self.n, len(images), len(train))
        return tuple(each[random.permutation(len(each))[:n]] for each in (images, train))


def judged_by(measures):
    """The sentence that names the features that a recipe's measures are of.

    Args:
        measures: those of a `zoo.Recipe`.

    Returns:
        The `name` of the judge, or None where nothing was judged.

    Example:
        >>> judged_by([Scores("cifar10")]), judged_by([])
        ("resnet20 trained on cifar10, layer 'average' (64 features)", None)
    """
    return next((measure.judge.name for measure in measures if isinstance(measure, Scores)), None)


def check_count(n):
    """Raises a ZooError for a number of images that is too small for the scores."""
    whole = isinstance(n, int) and not isinstance(n, bool)
    require(whole and n > NEIGHBOURS, "n", n, f"an integer >= {NEIGHBOURS + 1}")


def check_model(model):
    """Raises a ZooError for a model that makes no images from noise."""
    if not hasattr(model, "sample") or getattr(model, "translates", False):
        raise ZooError(
            "these scores are of models that make images from noise (they have a method sample). Received: "
            f"{getattr(model, 'name', model)!r}"
        )


def _named(name, ending):
    return f"{name}_{ending}" if ending else name
