"""A dense adversarial network of eight Gaussians on a ring: the toy in which lost modes can be counted.

zoo train gan_ring     # 8 ± 0 of 8 modes found (n=3), 37 s or more on 2 cores in use

`zoo compare gan_ring --seeds 3`; 84.0 % ± 1.5 of the generated points are within three deviations of a centre (of
true ones 98.9 %). Without the penalty, `zoo compare gan_ring --r1 0 --seeds 3`, 7.3 ± 0.6 modes are found, and 89.5 %
± 0.8 of the points are near one.
"""

import keras

import zoo
from callbacks import Schedule, linear
from zoo.data.ring import modes_found, ring


def search(hp):
    width = hp.Int("generator_width", 32, 256, step=32, default=128)
    layers = hp.Int("generator_layers", 1, 3, default=2)
    units = hp.Int("discriminator_width", 32, 256, step=32, default=128)
    judging = hp.Int("discriminator_layers", 1, 3, default=2)
    # Of the losses those with a target: only that can be smoothed.
    return dict(
        batch_size=hp.Choice("batch_size", [64, 128, 256, 512], default=256),
        learning_rate=hp.Float("learning_rate", 0.0001, 0.01, sampling="log", default=0.001),
        discriminator_rate=hp.Float("discriminator_rate", 0.25, 4.0, sampling="log", default=1.0),
        latent=hp.Choice("latent", [2, 4, 16, 32], default=16),
        hidden=(width,) * layers,
        units=(units,) * judging,
        loss=hp.Choice("loss", ["non_saturating", "least_squares"], default="non_saturating"),
        r1=hp.Float("r1", 0.01, 10.0, sampling="log", default=0.1),
        smoothing=hp.Choice("smoothing", [0.0, 0.05, 0.1, 0.2], default=0.0),
        instance_noise=hp.Float("instance_noise", 0.0, 0.2, default=0.0),
        ema=hp.Choice("ema", [0.9, 0.99, 0.995, 0.999], default=0.99),
    )


def measure(model, data, part):
    """Modes found by as many points as the part has, and the share of the points that is near to any."""
    points = model.sample(data.parts[part].size)
    found, near = modes_found(points, data.statistics["centres"], data.statistics["deviation"])
    return {"modes": found, "near": near}


def recipe(
    epochs=75,
    batch_size=256,
    learning_rate=0.001,
    discriminator_rate=1.0,
    modes=8,
    radius=2.0,
    deviation=0.05,
    latent=16,
    hidden=(128, 128),
    units=(128, 128),
    loss="non_saturating",
    r1=0.1,
    smoothing=0.0,
    instance_noise=0.0,
    ema=0.99,
):
    """Adam on the non-saturating loss, with a penalty on the discriminator's gradient at real points.

    Args:
        epochs: passes over the training points.
        batch_size: points a step.
        learning_rate: Adam's rate, the generator's.
        discriminator_rate: the discriminator's rate, as a multiple of it (Heusel et al. 2017).
        modes: Gaussians on the ring.
        radius: of the ring.
        deviation: of each Gaussian.
        latent: numbers in a code.
        hidden: widths of the generator's layers.
        units: widths of the discriminator's maxout layers.
        loss: minimax, non_saturating, least_squares, wasserstein or hinge.
        r1: weight of the penalty on the discriminator's gradient at real points.
        smoothing: what the discriminator's target for real examples falls short of 1 by (Salimans et al. 2016).
        instance_noise: standard deviation of the noise on all that the discriminator sees, at first; it falls to 0 over
            the training (Sonderby et al. 2017).
        ema: decay of the moving average of the generator, for each step; 0 is without.
    """
    data = ring(batch_size, modes=modes, radius=radius, deviation=deviation)
    model = zoo.build(
        "gan", image_shape=(2,), latent=latent, hidden=hidden, units=units, pieces=2, dropout=0.0, ema=ema
    )
    players = [keras.optimizers.Adam(rate, beta_1=0.5) for rate in (learning_rate, discriminator_rate * learning_rate)]
    model.compile(*players, loss=loss, r1=r1, label_smoothing=smoothing, instance_noise=instance_noise)
    noise = [Schedule("instance_noise", linear(instance_noise, 0.0))] if instance_noise else []
    return zoo.Recipe(model, data, epochs, noise, objective=("loss", "min"), measures=(measure,))


if __name__ == "__main__":
    raise SystemExit(zoo.cli.train(__file__))
