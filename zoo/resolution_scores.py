"""How good enlarged images are, in numbers: against the originals, and beside interpolation."""

from typing import NamedTuple

import numpy as np

from zoo import score_tables
from zoo.data.super_resolution import enlarge
from zoo.errors import ZooError
from zoo.translating import held_out

# Images that are looked at, at most.
MOST = 1000
# Pixels that are left out on each side, and the side of SSIM's window: Gaussian weights, cut off at 3.5 deviations.
BORDER, DEVIATION, WINDOW = 4, 1.5, 11
# An image without error has so many decibels.
HIGHEST = 100.0
# Luminance 16..235 of red, green and blue 0..255: ITU-R BT.601.
OFFSET, BT601 = 16.0, np.array([65.481, 128.553, 24.966]) / 255


class Row(NamedTuple):
    """One way to enlarge images; what does not apply is None.

    Args:
        name: "nearest", "bicubic", or that of a model.
        psnr: peak signal-to-noise ratio in decibels, mean over images.
        ssim: structural similarity, mean over images; None of images that are smaller than its window.
        frechet_distance: between features of the enlarged images and of the originals; None where no classifier for
            such images comes with the zoo.
    """

    name: str
    psnr: float
    ssim: float | None = None
    frechet_distance: float | None = None


def luminance(images):
    """The channel that PSNR and SSIM are taken of.

    Args:
        images: raw pixels 0..255 (..., channels), 1 or 3 channels.

    Returns:
        float64 (...): Y of BT.601, 16..235, of colour images (which is what the literature has); grey ones as they are.

    Example:
        >>> luminance(np.array([[255, 255, 255], [0, 0, 0]])).round(3).tolist()
        [235.0, 16.0]
    """
    images = np.asarray(images, np.float64)
    return images[..., 0] if images.shape[-1] == 1 else images @ BT601 + OFFSET


def border_of(height, width):
    """How many pixels the scores leave out on each side: 4 as Ledig et al. 2017 do, 0 of images of less than 19 pixels.

    Of those, nothing of the size of SSIM's window would be left.
    """
    return BORDER if min(height, width) >= WINDOW + 2 * BORDER else 0


def psnr(true, found, border=None):
    """The peak signal-to-noise ratio of each image's luminance in decibels, for a largest value of 255.

    Args:
        true, found: raw pixels 0..255 (n, height, width, channels).
        border: pixels left out on each side; None takes `border_of`.

    Returns:
        float64 (n,), 100 of an image without error.

    Example:
        >>> white = np.full((1, 8, 8, 1), 255)
        >>> float(psnr(white, white - 255)[0]), float(psnr(white, white)[0])
        (0.0, 100.0)
    """
    true, found = _inner(true, border), _inner(found, border)
    error = np.square(true - found).mean((1, 2))
    with np.errstate(divide="ignore"):
        return np.minimum(10 * np.log10(255.0**2 / error), HIGHEST)


def ssim(true, found, border=None):
    """The structural similarity of each image's luminance: Wang, Bovik, Sheikh, Simoncelli 2004, equation 13.

    With the paper's settings: a Gaussian window of 11 x 11 pixels and a deviation of 1.5, K1 = 0.01, K2 = 0.03, by
    scikit-image.

    Args:
        true, found, border: as in `psnr`.

    Returns:
        float64 (n,), 1 of equal images; or None when the images, without border, are smaller than the window.

    Example:
        >>> images = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3))
        >>> ssim(images, images).tolist(), ssim(images[:, :8], images[:, :8])
        ([1.0, 1.0], None)
    """
    from skimage.metrics import structural_similarity

    true, found = _inner(true, border), _inner(found, border)
    if min(true.shape[1:]) < WINDOW:
        return None
    settings = dict(gaussian_weights=True, sigma=DEVIATION, use_sample_covariance=False, data_range=255)
    return np.array([structural_similarity(*pair, **settings) for pair in zip(true, found, strict=True)])


def measure(model, data, part):
    """What a trained model of super-resolution is worth on at most 1000 images of a part, beside interpolation.

    Args:
        model: a `keras.Model` from small to large images.
        data: a `zoo.Data`, as `zoo.data.super_resolution` gives it.
        part: name of a part: "train", "validation" or "test".

    Returns:
        A dict of floats: `psnr`, `ssim` and `frechet_distance` of the model, and the same of `bicubic_` and `nearest_`;
        what does not apply is left out.
    """
    *others, own = table({"": model}, data, part)
    found = {}
    for name, *values in (own, *reversed(others)):
        prefix = f"{name}_" if name else ""
        pairs = zip(Row._fields[1:], values, strict=True)
        found |= {f"{prefix}{key}": value for key, value in pairs if value is not None}
    return found


def table(models, data, part="test"):
    """Models beside interpolation, on at most 1000 images of a part.

    Args:
        models: dict from the name of a row to a `keras.Model` from small to large images.
        data: a `zoo.Data`, as `zoo.data.super_resolution` gives it.
        part: name of a part.

    Returns:
        A list of `Row`s: nearest, bicubic, and the models. The Frechet distance is on features of the classifier that
        comes with the zoo for the source of the data (`zoo.judging.judge`), where there is one for images of this size.
    """
    true, found = enlarged(models, data, part)
    judge = _judge(data.statistics.get("source"), true)
    features = judge and judge.features(true)
    return [_row(name, true, images, judge, features) for name, images in found.items()]


def enlarged(models, data, part="test", most=MOST):
    """What interpolation and models make of the small images of a part.

    Args:
        models, data, part: as in `table`.
        most: number of images, taken from the first on; None takes all.

    Returns:
        The originals, uint8 (n, height, width, channels), and a dict from name to as many images: "nearest", "bicubic",
        and the models' names.
    """
    stream, factor = data.parts[part], data.statistics["factor"]
    low, true = (array[:most] for array in stream.arrays[:2])
    found = {name: np.stack([enlarge(image, factor, name) for image in low]) for name in ("nearest", "bicubic")}
    return true, found | {name: held_out(model, stream, most)[1] for name, model in models.items()}


def text(rows):
    """A table as aligned text; columns without a number are left out.

    Args:
        rows: a list of `Row`s.

    Returns:
        Lines in one string.

    Example:
        >>> print(text([Row("bicubic", 23.514, 0.7012, 3.25), Row("SRResNet", 24.0, 0.75, 2.5)]))
                      PSNR    SSIM  Frechet distance
        bicubic   23.51 dB  0.7012             3.250
        SRResNet  24.00 dB  0.7500             2.500
    """
    cells = [["", *(title for _, title, _ in _COLUMNS)]]
    for row in rows:
        values = [(getattr(row, field), pattern) for field, _, pattern in _COLUMNS]
        cells.append([row.name, *("" if value is None else pattern.format(value) for value, pattern in values)])
    return score_tables.aligned(cells)


_COLUMNS = (
    ("psnr", "PSNR", "{:.2f} dB"),
    ("ssim", "SSIM", "{:.4f}"),
    ("frechet_distance", "Frechet distance", "{:.3f}"),
)


def _inner(images, border):
    """The luminance, without the border."""
    values = luminance(images)
    border = border_of(*values.shape[1:]) if border is None else border
    return values[:, border : values.shape[1] - border, border : values.shape[2] - border]


def _row(name, true, images, judge, features):
    from zoo.generation_scores import frechet_distance

    similarity = ssim(true, images)
    return Row(
        name,
        float(psnr(true, images).mean()),
        None if similarity is None else float(similarity.mean()),
        None if judge is None or len(true) < 2 else frechet_distance(features, judge.features(images)),
    )


def _judge(source, images):
    """The classifier that comes with the zoo for a source, if it takes such images."""
    from zoo.judging import judge
    from zoo.weights.shipped import SHIPPED

    if source not in {weights for _, weights in SHIPPED}:
        return None
    found = judge(source)
    try:
        found.check(images)
    except ZooError:
        return None
    return found
