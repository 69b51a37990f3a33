"""What the two players of an adversarial game minimise, as functions of the discriminator's logits."""

from typing import NamedTuple

from keras import ops

from zoo.errors import ZooError, choose, require


class Game(NamedTuple):
    """The losses of one game.

    Args:
        discriminator: function of the logits of real and of generated examples that returns its loss for each pair.
        generator: function of the logits of generated examples that returns its loss for each.
        targets: whether the discriminator is taught a target for real examples, which can be smoothed.
        probability: whether a sigmoid makes probabilities of the logits.
    """

    discriminator: object
    generator: object
    targets: bool
    probability: bool


def _cross_entropy(real, fake, smoothing):
    # -(1 - s) log p - s log(1 - p) of the real, -log(1 - p) of the generated.
    return ops.softplus(-real) + smoothing * real + ops.softplus(fake)


def _squares(real, fake, smoothing):
    return 0.5 * ops.square(real - (1 - smoothing)) + 0.5 * ops.square(fake)


GAMES = {
    "minimax": Game(_cross_entropy, lambda fake: -ops.softplus(fake), True, True),
    "non_saturating": Game(_cross_entropy, lambda fake: ops.softplus(-fake), True, True),
    "least_squares": Game(_squares, lambda fake: 0.5 * ops.square(fake - 1), True, False),
    "wasserstein": Game(lambda real, fake, _: fake - real, lambda fake: -fake, False, False),
    "hinge": Game(lambda real, fake, _: ops.relu(1 - real) + ops.relu(1 + fake), lambda fake: -fake, False, False),
}


def check(loss, label_smoothing):
    """Checks the name of a game and what its real examples are smoothed by.

    Args:
        loss: "minimax" (Goodfellow et al. 2014, equation 1), "non_saturating" (there, section 3), "least_squares" (Mao
            et al. 2017, equation 9), "wasserstein" (Arjovsky et al. 2017, equation 2) or "hinge" (Lim, Ye 2017).
        label_smoothing: 0 <= number < 1, by which the target of real examples falls short of 1 (Salimans et al. 2016,
            section 3.4: one-sided).

    Raises:
        ZooError: another name or number, or smoothing where there is no target.
    """
    choose("loss", loss, tuple(GAMES))
    fits = isinstance(label_smoothing, int | float) and 0 <= label_smoothing < 1
    require(fits, "label_smoothing", label_smoothing, "a number in 0 <= label_smoothing < 1")
    if label_smoothing and not GAMES[loss].targets:
        smoothed = ", ".join(name for name, game in GAMES.items() if game.targets)
        raise ZooError(
            f"the loss {loss!r} has no target that could be smoothed (received: label_smoothing={label_smoothing}). "
            f"Losses that have one: {smoothed}"
        )


def discriminator_loss(loss, real, fake, label_smoothing=0.0):
    """The discriminator's loss, the mean over a batch.

    Args:
        loss: see `check`.
        real, fake: its logits of real and of generated examples, of the same shape (batch, ...).
        label_smoothing: see `check`.

    Returns:
        A scalar.

    Example:
        >>> round(float(discriminator_loss("non_saturating", np.zeros((4, 1)), np.zeros((4, 1)))), 4)  # 2 log 2
        1.3863
    """
    return ops.mean(GAMES[loss].discriminator(real, fake, label_smoothing))


def generator_loss(loss, fake):
    """The generator's loss, the mean over a batch.

    Args:
        loss: see `check`.
        fake: the discriminator's logits of generated examples.

    Returns:
        A scalar.

    Example:
        >>> round(float(generator_loss("non_saturating", np.zeros((4, 1)))), 4)  # log 2
        0.6931
    """
    return ops.mean(GAMES[loss].generator(fake))


def opinion(loss, logits):
    """What the discriminator thinks of examples, the mean over a batch: D(x) or D(G(z)).

    Returns:
        A scalar: the mean probability of being real where the game has one, else the mean logit.
    """
    return ops.mean(ops.sigmoid(logits) if GAMES[loss].probability else logits)
