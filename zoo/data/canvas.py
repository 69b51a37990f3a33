"""`digits_canvas`: handwritten digits on a cluttered canvas, with the digit at each pixel as the mask.

The digits are the real ones of `zoo.data.digits`; where they stand and what is around them is drawn. Canvas i is a
function of the part, the seed and i, made of whole numbers: it is the same on every machine.
"""

import numpy as np

from zoo.data import digits as handwriting
from zoo.data import random, split
from zoo.data.warp import catmull_rom
from zoo.errors import choose, require
from zoo.seeding import check_seed

LABELS = ("background", *"0123456789")
PARTS = ("train", "validation", "test")

# Sides of an enlarged digit, the pixels that keep its box from others, how often a place is looked for.
SIDES, GAP, TRIES = (18, 28), 1, 8
# The grey of digits and clutter above the ground.
GREYS = (90, 150)
# Clutter on 64 x 64 pixels: at most so many fragments and lines.
FRAGMENTS, LINES = 6, 3
# Ink of 0..255 from which on a pixel is a digit's, and how much steeper than the ink its grey rises there.
THRESHOLD, STEEPNESS = 110, 3
# Canvases are drawn so many at a time, and the numbers of a pixel's noise come after all others.
_AT_ONCE, _NOISE = 128, 2**16


def load(examples=2000, size=64, digits=4, seed=0):
    """Canvases for training, validation and test.

    Args:
        examples: canvases for training, >= 1; a tenth as many for validation and a quarter as many for test, of both
            one at least.
        size: side of a canvas in pixels, 32 to 1024.
        digits: how many digits a canvas has at most, 1 to 64; it has one at least.
        seed: integer, 0 <= seed < 2**32: another seed gives other canvases of the same digits.

    Returns:
        `(parts, labels)`: parts maps "train", "validation" and "test" to (x uint8 `(n, size, size, 1)`, mask uint8
        `(n, size, size)`); labels are "background", "0", ..., "9". No part has a digit of another one: the test's are
        those that `zoo.data.images("digits")` tests on.

    Raises:
        ZooError: a value out of range.

    Example:
        >>> parts, labels = load(examples=20)
        >>> x, mask = parts["train"]
        >>> x.shape, mask.shape, labels[mask.max()] in labels, len(parts["test"][0])
        ((20, 64, 64, 1), (20, 64, 64), True, 5)
    """
    require(isinstance(examples, int) and examples >= 1, "examples", examples, "a whole number >= 1")
    counts = (examples, max(1, examples // 10), max(1, examples // 4))
    parts = {part: draw(range(count), part, size, digits, seed) for part, count in zip(PARTS, counts, strict=True)}
    return parts, LABELS


def draw(index, part="train", size=64, digits=4, seed=0):
    """Some canvases by their numbers.

    On a ground of a slope, blotches and noise lie straight lines and fragments of digits, turned and cut: all of them
    are background. On top stand 1 to `digits` whole digits, upright, enlarged from 8 x 8 to 18 to 28 pixels, as bright
    as the clutter may be too; it ends a little before their ink. Their boxes do not overlap, and one that finds no free
    place after 8 tries is left out. A pixel belongs to a digit where its enlarged ink passes 110 of 255, which is where
    its grey is half way up.

    Source of the task: Mnih, Heess, Graves, Kavukcuoglu 2014, Recurrent models of visual attention, section 4.1, whose
    clutter of fragments this follows; there a canvas has one digit and one label.

    Args:
        index: sequence of integers >= 0.
        part: "train", "validation" or "test": which digits there are.
        size, digits, seed: as `load` has them.

    Returns:
        A pair: x uint8 `(n, size, size, 1)` and the mask uint8 `(n, size, size)`, 0 for the background and 1 + d for
        the digit d.

    Raises:
        ZooError: a value out of range.

    Example:
        >>> x, mask = draw([5])
        >>> bool((x[0] == draw(range(20))[0][5]).all())
        True
    """
    choose("part", part, PARTS)
    require(isinstance(size, int) and 32 <= size <= 1024, "size", size, "a side of 32 to 1024 pixels")
    require(isinstance(digits, int) and 1 <= digits <= 64, "digits", digits, "a whole number, 1 to 64")
    index = np.asarray(index)
    require(index.ndim == 1 and len(index) and index.dtype.kind in "iu", "index", index, "a list of whole numbers")
    images, classes = _digits(part)
    key = check_seed(seed), PARTS.index(part)
    drawn = [
        _drawn(key, index[first : first + _AT_ONCE], images, classes, size, digits)
        for first in range(0, len(index), _AT_ONCE)
    ]
    x, mask = (np.concatenate(arrays) for arrays in zip(*drawn, strict=True))
    return x[..., None], mask


def _digits(part):
    """The 8 x 8 images of a part of the digits, and their classes."""
    x, y = handwriting.load()[0]["train"]
    kept, test = split.stratified(y, split.TEST_FRACTION, split.TEST_SEED)
    train, validation = split.stratified(y[kept], 0.1, split.TEST_SEED)
    chosen = {"train": kept[train], "validation": kept[validation], "test": test}[part]
    return x[chosen, :, :, 0].astype("float32"), y[chosen]


def _drawn(key, index, images, classes, size, digits):
    """Canvases and masks, int32 and uint8 `(n, size, size)`, of the numbers in `index`, all at once."""
    pick = _Picks(key, index)
    ground = _ground(pick, size)
    canvas = ground
    clutter = size * size / 64**2
    for most, paint in ((round(LINES * clutter), _line), (round(FRAGMENTS * clutter), _fragment)):
        count = pick(most + 1)
        for k in range(most):
            there = (k < count)[:, None, None]
            canvas = _painted(canvas, ground, paint(pick, images, size) * there, pick)
    mask = np.zeros(canvas.shape, "uint8")
    count, boxes = pick(digits) + 1, []
    for k in range(digits):
        chosen, side = pick(len(images)), pick(SIDES[1] - SIDES[0] + 1) + SIDES[0]
        placed, top, left = _place(pick, side, boxes, size)
        there = placed & (k < count)
        boxes.append((there, top, left, side))
        ink = _enlarged(images[chosen], top, left, side, size) * there[:, None, None]
        # Clutter ends a pixel or two before the ink: where a line crosses a digit, the digit's edge is still seen.
        canvas = canvas + ((ground - canvas) * np.clip(ink * 8, 0, 255) + 128 >> 8)
        canvas = _painted(canvas, ground, np.clip((ink - THRESHOLD) * STEEPNESS + 128, 0, 255), pick)
        mask = np.where(ink > THRESHOLD, (1 + classes[chosen]).astype("uint8")[:, None, None], mask)
    return np.clip(canvas + pick.noise(size), 0, 255).astype("uint8"), mask


class _Picks:
    """Whole numbers for canvases: a function of the key, the canvas, and how many were asked for before."""

    def __init__(self, key, index):
        self.key, self.index, self.used = key, index[:, None], 0

    def __call__(self, below, *shape):
        """int64 `(n, *shape)`, uniform from 0 to `below` - 1."""
        count = int(np.prod(shape))
        words, _ = random.threefry(self.key, (self.index, self.used + np.arange(count)))
        self.used += count
        words = words.reshape(-1, *shape).astype("int64")
        return words * below >> 32

    def between(self, low, high, *shape):
        """int64 `(n, *shape)`, uniform from `low` to `high`, both included."""
        return self(high - low + 1, *shape) + low

    def noise(self, size):
        """int32 `(n, size, size)` from -15 to 15, the middle most often: sums of two halves of a random byte."""
        pairs = -(-size * size // 8)
        words = np.stack(random.threefry(self.key, (self.index, _NOISE + np.arange(pairs))), axis=-1)
        values = words.astype("<u4").view("uint8").reshape(len(words), -1)[:, : size * size].astype("int32")
        return ((values >> 4) + (values & 15) - 15).reshape(-1, size, size)


def _ground(pick, size):
    """A level, a slope, and blotches."""
    place = 2 * np.arange(size) - (size - 1)
    down, right = pick.between(-20, 20)[:, None, None], pick.between(-20, 20)[:, None, None]
    slope = (down * place[:, None] + right * place) // size
    # Cubics of whole numbers, exact in float32.
    rows = _weights(np.linspace(0, 5, size), 6)
    nodes = pick.between(-20, 20, 6, 6).astype("float32")
    blotches = (rows @ nodes @ rows.T).astype("int32") >> 12
    return pick.between(35, 80)[:, None, None] + slope + blotches


def _line(pick, images, size):
    """Coverage 0..255 of a piece of a straight line."""
    down, right = pick.between(-64, 64), pick.between(-64, 64) | 1  # Odd, so that one of both is not 0.
    row, column = (np.arange(size) - pick(size)[:, None] for _ in range(2))
    reach, width = pick.between(8, size // 2), pick.between(4, 12) / 8
    norm = np.sqrt((down**2 + right**2).astype("float64"))
    along = abs(down[:, None, None] * row[:, :, None] + right[:, None, None] * column[:, None, :])
    off = abs(right[:, None, None] * row[:, :, None] - down[:, None, None] * column[:, None, :])
    off, along = (each / norm[:, None, None] for each in (off, along))
    near = np.clip(width[:, None, None] + 0.5 - off, 0, 1) * (along <= reach[:, None, None])
    return (near * 255).astype("int32")


def _fragment(pick, images, size):
    """Coverage 0..255 of a quarter of a digit, turned by right angles or mirrored."""
    chosen = images[pick(len(images))]
    first = np.stack([pick(5), pick.between(1, 3)], axis=-1)
    inside = (np.arange(8) >= first[..., None]) & (np.arange(8) < first[..., None] + 4)
    chosen = chosen * (inside[:, 0, :, None] & inside[:, 1, None, :])
    for flipped, turn in ((chosen[:, ::-1], pick(2)), (chosen[:, :, ::-1], pick(2))):
        chosen = np.where(turn[:, None, None] == 1, flipped, chosen)
    chosen = np.where(pick(2)[:, None, None] == 1, chosen.transpose(0, 2, 1), chosen)
    side = pick.between(*SIDES)
    top, left = (pick(size)[None] - side // 2 for _ in range(2))
    ink = _enlarged(chosen, top[0], left[0], side, size)
    return np.clip((ink - THRESHOLD) * STEEPNESS + 128, 0, 255)


def _place(pick, side, boxes, size):
    """The first of some places where a box lies in the canvas and on no other one: whether there is one, top, left."""
    tops, lefts = (pick(2**20, TRIES) * (size - side[:, None] + 1) >> 20 for _ in range(2))
    free = np.ones(tops.shape, bool)
    for there, top, left, other in boxes:
        near = [
            (start[:, None] < mine + side[:, None] + GAP) & (mine < start[:, None] + other[:, None] + GAP)
            for start, mine in ((top, tops), (left, lefts))
        ]
        free &= ~(near[0] & near[1] & there[:, None])
    best = free.argmax(1)[:, None]
    return free.any(1), *(np.take_along_axis(each, best, 1)[:, 0] for each in (tops, lefts))


def _enlarged(images, top, left, side, size):
    """Ink, int32 `(n, size, size)`, of 8 x 8 images brought to boxes of `side` pixels on the canvas."""
    rows, columns = (
        _weights((2 * (np.arange(size) - first[:, None]) + 1) * 4 / side[:, None] - 0.5, 8) for first in (top, left)
    )
    return (rows @ images @ columns.transpose(0, 2, 1)).astype("int32") >> 12


def _weights(place, count):
    """Catmull-Rom's weights of `count` values for places between them, in units of 1/64: float32 `(..., count)`."""
    return np.round(64 * catmull_rom(place[..., None] - np.arange(count))).astype("float32")


def _painted(canvas, ground, cover, pick):
    """A canvas with something of one grey above the ground on it, where `cover` is 255, and a share of it elsewhere."""
    grey = pick.between(*GREYS)[:, None, None]
    return canvas + ((ground + grey - canvas) * cover + 128 >> 8)
