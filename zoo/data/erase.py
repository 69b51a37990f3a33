"""Augmentation by leaving out: a square of each image is covered."""

from zoo.data import ops
from zoo.errors import require


def cutout(size, fill=128):
    """Covers a square of each image, its centre anywhere in the image (DeVries and Taylor 2017, section 3.2).

    Near the border a part of the square lies outside, so that less is covered; the paper found this to matter.

    Args:
        size: integer >= 1, the square's side in pixels; 16 in the paper for CIFAR-10.
        fill: integer 0..255, what covers it; the paper's is the mean of the data.

    Returns:
        An operation, as those of `zoo.data.augment`.

    Raises:
        ZooError: a value outside its range.

    Example:
        >>> data = zoo.data.images("digits", 64, augment=[zoo.data.shift(1), cutout(3, fill=0)])
    """
    for name, value, low, high in (("size", size, 1, 10_000), ("fill", fill, 0, 255)):
        whole = isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
        require(whole, name, value, f"an integer {low}..{high}")

    def op(images, draws):
        xp = ops.of(images)
        height, width = images.shape[1:3]
        numbers = draws(2)
        inside = []
        for axis, length in enumerate((height, width)):
            first = xp.cast(numbers[:, axis] * length, "int32")[:, None] - size // 2
            place = xp.arange(length)[None, :]
            inside.append(xp.cast((place >= first) & (place < first + size), "uint8"))
        covered = (inside[0][:, :, None] * inside[1][:, None, :])[..., None]
        return images * (1 - covered) + xp.cast(fill, "uint8") * covered

    return op
