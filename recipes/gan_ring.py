"""A dense adversarial network of eight Gaussians on a ring: the toy in which lost modes can be counted.

zoo train gan_ring     # 8 ± 0 of 8 modes found (n=3), 37 s or more on 2 cores in use

`zoo compare gan_ring --seeds 3`; 84.0 % ± 1.5 of the generated points are within three deviations of a centre (of
true ones 98.9 %). Without the penalty, `zoo compare gan_ring --r1 0 --seeds 3`, 7.3 ± 0.6 modes are found, and 89.5 %
± 0.8 of the points are near one.
"""

import keras

import zoo
from zoo.data.ring import modes_found, ring


def search(hp):
    return dict(
        learning_rate=hp.Float("learning_rate", 1e-4, 1e-2, sampling="log"),
        r1=hp.Float("r1", 0.01, 10.0, sampling="log"),
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
    modes=8,
    radius=2.0,
    deviation=0.05,
    latent=16,
    hidden=(128, 128),
    units=(128, 128),
    loss="non_saturating",
    r1=0.1,
    ema=0.99,
):
    """Adam on the non-saturating loss, with a penalty on the discriminator's gradient at real points.

    Args:
        epochs: passes over the training points.
        batch_size: points a step.
        learning_rate: Adam's rate, of both players.
        modes: Gaussians on the ring.
        radius: of the ring.
        deviation: of each Gaussian.
        latent: numbers in a code.
        hidden: widths of the generator's layers.
        units: widths of the discriminator's maxout layers.
        loss: minimax, non_saturating, least_squares, wasserstein or hinge.
        r1: weight of the penalty on the discriminator's gradient at real points.
        ema: decay of the moving average of the generator, for each step; 0 is without.
    """
    data = ring(batch_size, modes=modes, radius=radius, deviation=deviation)
    model = zoo.build(
        "gan", image_shape=(2,), latent=latent, hidden=hidden, units=units, pieces=2, dropout=0.0, ema=ema
    )
    model.compile(keras.optimizers.Adam(learning_rate, beta_1=0.5), loss=loss, r1=r1)
    return zoo.Recipe(model, data, epochs, objective=("loss", "min"), measures=(measure,))


if __name__ == "__main__":
    raise SystemExit(zoo.cli.train(__file__))
