"""The scores of generated images while a network trains: in the logs of each epoch, and a word when modes collapse."""

import functools
import math

import numpy as np

from zoo import judging
from zoo.errors import require
from zoo.generation_measures import check_count, check_model, class_figures, diversity
from zoo.generation_scores import frechet_distance, precision_recall
from zoo.seeding import check_seed
from zoo.telling import Telling

NAMES = ("frechet", "precision", "recall", "classes", "class_kl", "diversity")


class GenerationScores(Telling):
    """Scores what a generator makes at the end of epochs, and says in a line when its modes have collapsed.

    `frechet`, `precision`, `recall`, `classes`, `class_kl` and `diversity` go into the logs (`zoo.generation_measures`
    says what they are), and from there into the history and its pictures. Stand in front of callbacks that read the
    logs: an `EarlyStopping("frechet", mode="min")` behind this one stops on the best generator, and gives it back. The
    noise is the same each time, so that a value moves only when the network does. Frechet's distance of so few images
    is larger than that of many: epochs can be compared with each other, not with `Scores` of more.

    Modes have collapsed when classes are missing: exp(-class_kl) is below `coverage`, as it is when of equally frequent
    classes less than that share is made; or when images of a class hardly differ: `diversity` is below `least`. It
    must be so for `patience` measurements in a row, for in their first epochs all generators make one thing only. It is
    said once, and again after it has been better; not where fit is silent (`verbose=0`). An epoch whose loss is not
    finite is not measured.

    Args:
        judge: what `zoo.judging.judge` takes.
        images: real images, raw pixels (m, height, width, channels), best those of the validation part.
        n: images that are generated, and real ones they are compared with, an integer >= 4; of fewer `images` as many
            as there are. With 1 000 of MNIST and LeNet's 84 features a measurement takes some 0.1 s of processor time,
            beside what it takes to generate them.
        every: epochs between two measurements, >= 1; the first is behind the first epoch. The logs repeat the newest
            numbers in between, and the patience of an `EarlyStopping` counts these, too.
        seed: integer, of the noise and of the choice of real images.
        coverage: number 0..1.
        least: number >= 0.
        patience: measurements in a row, >= 1.

    Attributes:
        collapses: list of `[epoch, line]`, epochs counted from 1: what was said.

    Raises:
        ZooError: no such judge, images that it does not take, a number out of range; when training begins: a model that
            makes no images from noise.

    Example:
        >>> images = zoo.data.images("digits", seed=0).train.arrays[0]
        >>> model = zoo.build("gan", image_shape=(8, 8, 1), latent=2, hidden=(4,), units=(4,))
        >>> model.compile("adam", run_eagerly=True)
        >>> watch = GenerationScores("digits", images, n=50, patience=2)
        >>> stop = EarlyStopping("frechet", mode="min", patience=5)
        >>> history = model.fit(images[:64], epochs=2, verbose=0, callbacks=[watch, stop])
        >>> len(history.history["frechet"]), watch.collapses[0][0]
        (2, 2)
    """

    kept = ("_values", "_low")

    def __init__(self, judge, images, n=1000, every=1, seed=0, coverage=0.5, least=0.1, patience=3):
        super().__init__()
        check_count(n)
        for name, value in (("every", every), ("patience", patience)):
            whole = isinstance(value, int) and not isinstance(value, bool) and value >= 1
            require(whole, name, value, "an integer >= 1")
        for name, value, most in (("coverage", coverage, 1), ("least", least, math.inf)):
            number = isinstance(value, int | float) and not isinstance(value, bool)
            require(number and 0 <= value <= most, name, value, f"a number >= 0{' and <= 1' if most == 1 else ''}")
        self.judge = judging.judge(judge)
        self.judge.check(images)
        check_count(len(images))
        self.seed = check_seed(seed)
        self.every = every
        self.coverage = coverage
        self.least = least
        self.patience = patience
        self._images = images[np.random.default_rng(self.seed).permutation(len(images))[:n]]
        self._start()

    def on_train_begin(self, logs=None):
        check_model(self.model)
        self._start()

    def on_epoch_end(self, epoch, logs=None):
        logs = {} if logs is None else logs
        finite = all(math.isfinite(value) for name, value in logs.items() if name.endswith("loss"))
        if finite and (not self._values or (epoch + 1) % self.every == 0):
            self._measure(epoch + 1)
        logs.update(self._values or dict.fromkeys(NAMES, math.nan))

    def _start(self):
        super()._start()
        self._values = {}
        self._low = 0  # measurements in a row that looked like a collapse

    def _measure(self, epoch):
        real, real_classes = self._real
        made, classes = self.judge.look(self.model.sample(len(real), seed=self.seed))
        figures = class_figures(real_classes, classes, len(self.judge.labels))
        precision, recall = precision_recall(real, made)
        values = (frechet_distance(real, made), precision, recall, figures.produced, figures.divergence)
        spread = diversity(real, real_classes, made, classes)
        self._values = dict(zip(NAMES, map(float, (*values, spread)), strict=True))
        missing = math.exp(-figures.divergence) < self.coverage
        self._low = self._low + 1 if missing or spread < self.least else 0
        if self._low == self.patience:
            what = f"images of a class hardly differ, {100 * spread:.0f} % as much as real ones do"
            if missing:
                counts = np.bincount(classes)
                label, share = self.judge.labels[counts.argmax()], counts.max() / len(classes)
                what = (
                    f"{figures.produced} of {figures.real} classes are produced, "
                    f"{100 * share:.0f} % of the samples are {label!r}"
                )
            self.collapses.append([epoch, f"Mode collapse in epoch {epoch}: {what}"])

    @functools.cached_property
    def _real(self):
        return self.judge.look(self._images)
