"""Images and masks moved together, windows, and streams that give an example several times an epoch."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.interpolate import CubicHermiteSpline

from zoo.data import Stream, ops, paired, random, warp, windows
from zoo.errors import ZooError

ALL = {
    "crop": paired.crop(9),
    "crop_margin": paired.crop((20, 14), margin=3),
    "flips": paired.flips(vertical=True),
    "turns": paired.flips(False, turns=True),
    "rotate": paired.rotate(180),
    "elastic": paired.elastic(3, 4.0),
    "warp": paired.warp(10, 2, rotation=30, zoom=0.3, sigma=2.0, grid=4),
    "warp_far": paired.warp((40, 30), 5, rotation=90, zoom=0.5, sigma=20.0),
    "intensity": paired.intensity(0.2, 0.5),
}


def _element(height=16, width=16, channels=1, count=5):
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (count, height, width, channels), np.uint8)
    mask = rng.integers(0, 7, (count, height, width), np.uint8)
    return x, mask, rng.random((count, height, width), np.float32)


def _with(*numbers):
    """The draws of every example."""
    return lambda count: np.tile(np.float32(numbers), (5, 1))[:, :count]


def _random(examples, seed=0):
    def draws(count):
        return random.uniform(seed, 0, np.arange(examples)[:, None], np.arange(count))

    return draws


@pytest.mark.parametrize("channels", [1, 3])
def test_tensors_give_the_bytes_of_arrays(channels):
    element = _element(channels=channels, count=20)
    expected = {name: op(*element, _random(20)) for name, op in ALL.items()}
    expected["windows"] = paired.windows(7, 1)(*element)

    @tf.function
    def graph(*element):
        found = {name: op(*element, lambda count: tf.constant(_random(20)(count))) for name, op in ALL.items()}
        return {**found, "windows": paired.windows(7, 1)(*element)}

    found = graph(*map(tf.constant, element))
    for name, arrays in expected.items():
        assert [array.dtype for array in arrays] == ["uint8", "uint8", "float32"], name
        assert arrays[0].shape[3] == channels, name
        if name != "windows":
            assert sum((one[:1] != one[1:]).any() for one in arrays) == 3, name
        for one, other in zip(found[name], arrays, strict=True):
            np.testing.assert_array_equal(one, other, err_msg=name)


@pytest.mark.parametrize("name", [name for name in ALL if name != "intensity"])
@pytest.mark.parametrize("axis", [1, 2])
def test_image_mask_and_weights_move_together(name, axis):
    # The mask is a pixel's place, the image 8 times that: half a pixel is 4 greys, and a bilinear mean lies no further.
    place = np.arange(16).reshape((1, 16, 1) if axis == 1 else (1, 1, 16)) * np.ones((5, 16, 16), np.uint8)
    x, mask, weights = ALL[name]((8 * place).astype("uint8")[..., None], place.astype("uint8"), place / 2, _random(5))
    height, width = mask.shape[1:]
    margin = (x.shape[1] - height) // 2
    inner = x[:, margin : margin + height, margin : margin + width, 0].astype(float)
    assert np.abs(inner - 8 * mask.astype(float)).max() <= 4.5
    np.testing.assert_array_equal(2 * weights, mask)
    assert np.ptp(mask) > 5


@pytest.mark.parametrize("size, margin", [(9, 0), ((20, 14), 3), (60, 0)])
def test_a_window_is_cut_out_of_the_mirrored_image(size, margin):
    x, mask, weights = _element(16, 11, 3)
    height, width = (size, size) if isinstance(size, int) else size
    pad = 64
    padded = [
        np.pad(each, ((0, 0), (pad, pad), (pad, pad), (0, 0))[: each.ndim], "reflect") for each in (x, mask, weights)
    ]
    lowest = [min(0, length - side + 2 * margin) for length, side in ((16, height), (11, width))]
    highest = [max(0, length - side + 2 * margin) for length, side in ((16, height), (11, width))]
    for draws, (top, left) in (
        (_with(0.0, 0.0), lowest),
        (_with(1 - 2**-24, 0.0), (highest[0], lowest[1])),
        (_with(0.0, 1 - 2**-24), (lowest[0], highest[1])),
    ):
        found = paired.crop(size, margin)(x, mask, weights, draws)
        rows, columns = slice(pad + top - margin, pad + top - margin + height), slice(pad + left - margin, None)
        np.testing.assert_array_equal(found[0], padded[0][:, rows, columns][:, :, :width])
        for each, whole in zip(found[1:], padded[1:], strict=True):
            inner = whole[:, pad + top :, pad + left :]
            np.testing.assert_array_equal(each, inner[:, : height - 2 * margin, : width - 2 * margin])


@pytest.mark.parametrize("op", [paired.crop(8, 1), paired.warp(8, 1)])
def test_all_windows_are_equally_likely(op):
    size = 4000
    place = (np.arange(8)[:, None] * 8 + np.arange(8)).astype("uint8")
    x, mask = np.zeros((size, 8, 8, 1), np.uint8), np.tile(place, (size, 1, 1))
    _, found = op(x, mask, _random(size))
    assert found.shape == (size, 6, 6)
    counts = np.bincount(found[:, 0, 0], minlength=64).reshape(8, 8)
    assert counts[:3, :3].sum() == size
    assert np.abs(counts[:3, :3] - size / 9).max() < 4 * np.sqrt(size / 9)


def test_flips_and_turns_are_the_eight_symmetries_of_a_square():
    element = _element(6, 6, 3)
    for first, across in ((0.49, True), (0.5, False)):
        for second, down in ((0.49, True), (0.5, False)):
            for quarters in range(4):
                found = paired.flips(True, True, True)(*element, _with(first, second, quarters / 4))
                for one, array in zip(found, element, strict=True):
                    expected = np.rot90(array, quarters, axes=(1, 2))
                    expected = expected[:, :, ::-1] if across else expected
                    np.testing.assert_array_equal(one, expected[:, ::-1] if down else expected)


def test_only_what_is_chosen_flips():
    x, mask, _ = _element(6, 8)
    np.testing.assert_array_equal(paired.flips()(x, mask, _with(0.0, 0.0, 0.9))[1], mask[:, :, ::-1])
    np.testing.assert_array_equal(paired.flips(False, True)(x, mask, _with(0.0, 0.0, 0.9))[1], mask[:, ::-1])
    with pytest.raises(ZooError, match=r"only square images can be turned.*\(5, 6, 8, 1\)"):
        paired.flips(turns=True)(x, mask, _with(0.0, 0.0, 0.9))


@pytest.mark.parametrize("size", [9, 10])
def test_known_turns(size):
    element = _element(size, size, 3)
    quarter = paired.rotate(90)(*element, _with(0.5, 0.5, 1.0, 0.5))
    half = paired.warp(rotation=180)(*element, _with(0.5, 0.5, 1.0, 0.5))
    still = paired.warp(size, rotation=90, zoom=0.5, sigma=3.0)(*element, _with(*[0.5] * 4, *[0.5] * 18))
    for turned, two, same, array in zip(quarter, half, still, element, strict=True):
        np.testing.assert_array_equal(turned, np.rot90(array, 1, axes=(1, 2)))
        np.testing.assert_array_equal(two, array[:, ::-1, ::-1])
        np.testing.assert_array_equal(same, array)


def test_half_a_pixel_is_a_mean_and_a_factor_of_two_leaves_every_second_pixel_out():
    x, mask, weights = _element(8, 8)
    # A window of odd height in an even image, as large as it: its centre lies between two rows.
    small = paired.warp(zoom=0.5)(x, mask, weights, _with(0.5, 0.5, 0.5, 0.0))
    corners = x[..., 0].astype(int).reshape(5, 4, 2, 4, 2).sum((2, 4))
    larger = paired.warp(zoom=0.5)(x, mask, weights, _with(0.5, 0.5, 0.5, 1 - 2**-24))
    np.testing.assert_array_equal(small[0][:, 2:6, 2:6, 0], (corners + 2) // 4)
    assert len(np.unique(larger[1])) <= 7 and larger[0].shape == x.shape


@pytest.mark.parametrize("grid, window", [(2, (9, 12)), (3, (17, 33)), (5, (40, 1))])
def test_displacements_are_cubics_through_normal_numbers(grid, window):
    drawn = (random.uniform(1, 0, np.arange(6)[:, None], np.arange(2 * grid * grid)) * 4096).astype("int32")
    found = warp._displacement(drawn, window, 10.0, grid) / 256

    def spline(values, side, axis):
        """Cubics whose slopes are the mean differences, at both ends the only one."""
        slopes = np.gradient(values, axis=axis)
        place = np.linspace(0, grid - 1, side) if side > 1 else [(grid - 1) / 2]
        return CubicHermiteSpline(np.arange(grid), values, slopes, axis)(place)

    nodes = 10 * warp._quantiles()[drawn].astype(float).reshape(6, 2, grid, grid) / 256
    expected = spline(spline(nodes, window[0], 2), window[1], 3)
    # Weights are rounded to 1/256, places to 1/256 pixel.
    assert np.abs(found - expected).max() < 0.01 * np.abs(nodes).max()


def test_displacements_have_the_deviation_of_the_paper():
    # The image is a ramp of 2 greys a pixel, and in its middle lies a node.
    ramp = np.tile(2 * np.arange(101, dtype=np.uint8), (1500, 3, 1))[..., None]
    moved, _ = paired.elastic(3, 10.0)(ramp, ramp[..., 0], _random(1500))
    pixels = (moved[:, 1, 50, 0].astype(float) - 100) / 2
    assert pixels.std() == pytest.approx(10, rel=4 / np.sqrt(2 * 1500))
    assert abs(pixels.mean()) < 4 * 10 / np.sqrt(1500)
    assert (warp._quantiles() / 256).std() == pytest.approx(1, abs=2e-3)


def test_intensity_changes_greys_as_documented_and_the_mask_not():
    x, mask, weights = _element(channels=1)
    brighter = paired.intensity(brightness=0.2)(x, mask, weights, _with(0.5, 1 - 2**-24))
    np.testing.assert_array_equal(brighter[0], np.clip(x.astype(int) + 50, 0, 255))
    flatter, same, _ = paired.intensity(contrast=0.5)(x, mask, weights, _with(0.0, 0.5))
    mean = x.mean((1, 2, 3), keepdims=True)
    assert np.abs(flatter - (mean + 0.5 * (x - mean))).max() <= 1.01
    np.testing.assert_array_equal(same, mask)


@pytest.mark.parametrize("size, margin", [(9, 2), ((6, 30), 1), (16, 0), (40, 4)])
def test_windows_for_evaluation_reach_every_pixel(size, margin):
    x, mask, _ = _element(16, 21)
    places = np.arange(16 * 21, dtype="int32").reshape(1, 16, 21) + 1000 * np.arange(5, dtype="int32")[:, None, None]
    cut, found, number = paired.windows(size, margin)(x, mask, places)
    sides = (size, size) if isinstance(size, int) else size
    inner = tuple(side - 2 * margin for side in sides)
    count = len(cut) // 5
    assert cut.shape == (5 * count, *sides, 1) and found.shape == (5 * count, *inner)
    for k, image in enumerate(number.reshape(5, -1)):
        assert set(image) == set(places[k].ravel())
    np.testing.assert_array_equal(np.take(mask, number % 1000 + number // 1000 * 16 * 21), found)
    assert count == np.prod([-(-length // side) for length, side in zip((16, 21), inner, strict=True)])
    middle = cut[:, margin : sides[0] - margin, margin : sides[1] - margin, 0]
    np.testing.assert_array_equal(np.take(x, number % 1000 + number // 1000 * 16 * 21), middle)


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: paired.flips(False), "flips must be one of horizontal, vertical and turns"),
        (lambda: paired.crop(0), "size must be a number of pixels >= 1"),
        (lambda: paired.crop(20, 10), r"margin must be .* that leaves something of the window of \(20, 20\)"),
        (lambda: paired.crop(20, 1.5), "margin must be a whole number"),
        (lambda: paired.warp(margin=4), "margin must be .*0 where there is no window"),
        (lambda: paired.rotate(270), "rotation must be an angle of 0 to 180"),
        (lambda: paired.warp(zoom=0.6), "zoom must be a factor"),
        (lambda: paired.elastic(sigma=-1), "sigma must be"),
        (lambda: paired.elastic(grid=1), "grid must be a whole number of nodes"),
        (lambda: paired.intensity(brightness=2), "brightness must be"),
        (lambda: paired.intensity(contrast=1), "contrast must be"),
        (lambda: paired.elastic()(*_element(1, 5)[:2], _random(5)), "only images of 2 x 2 pixels"),
    ],
)
def test_bad_strengths_are_refused(make, message):
    with pytest.raises(ZooError, match=message):
        make()


def _stream(size=5, batch_size=4, repeats=3, **named):
    x = np.random.default_rng(0).integers(0, 256, (size, 12, 10, 1), np.uint8)
    number = np.zeros((size, 12, 10), "uint8") + np.arange(size, dtype="uint8")[:, None, None]
    return Stream((x, number), batch_size, 3, repeats=repeats, **named)


def _first(values):
    return values[:, 0, 0]


def test_an_example_comes_several_times_an_epoch_each_time_drawn_anew():
    stream = _stream(mix=paired.crop(4))
    assert (stream.size, stream.repeats, stream.steps) == (5, 3, 4)
    epoch = [stream.batch(2, step) for step in range(4)]
    assert [len(x) for x, _ in epoch] == [4, 4, 4, 3]
    x, number = (np.concatenate(parts) for parts in zip(*epoch, strict=True))
    np.testing.assert_array_equal(np.sort(_first(number)), np.repeat(np.arange(5), 3))
    assert len(np.unique(x.reshape(15, -1), axis=0)) == 15
    assert (_first(number) != _first(np.concatenate([stream.batch(3, k)[1] for k in range(4)]))).any()


def test_repeats_open_from_any_step_on_and_with_any_batch_size():
    stream = _stream(mix=[paired.warp(6, 1, rotation=30, sigma=1.0), paired.flips()])
    opened = list(stream.open(0, 2).take(6).as_numpy_iterator())
    for k, element in enumerate(opened, 2):
        for one, other in zip(element, stream.batch(k // 4, k % 4), strict=True):
            np.testing.assert_array_equal(one, other)
    plain = {}
    for batch_size in (1, 4, 15):
        other = _stream(batch_size=batch_size, shuffle=False, mix=stream.mix)
        plain[batch_size] = np.concatenate([other.batch(1, step)[0] for step in range(other.steps)])
    np.testing.assert_array_equal(plain[1], plain[15])
    np.testing.assert_array_equal(plain[4], plain[15])


def test_once_gives_each_example_once_whatever_the_repeats():
    stream = _stream(batch_size=2, mix=paired.crop(4))
    dataset = stream.once()
    assert int(dataset.cardinality()) == 3 and stream.steps == 8
    x, _ = (np.concatenate(parts) for parts in zip(*dataset.as_numpy_iterator(), strict=True))
    np.testing.assert_array_equal(x, stream.arrays[0])


def test_derived_streams_keep_the_repeats_and_one_is_as_before():
    stream = _stream(mix=paired.crop(4))
    for derived in (
        stream.mapped(lambda x, y: (x, y)),
        stream.joined(_stream(repeats=1)),
        stream.mixed(paired.flips()),
    ):
        assert derived.repeats == 3 and derived.steps == -(-3 * derived.size // 4)
    one, plain = _stream(repeats=1), Stream(_stream().arrays, 4, 3)
    np.testing.assert_array_equal(one.batch(1, 1)[1], plain.batch(1, 1)[1])
    for repeats in (0, 1.5, True):
        with pytest.raises(ZooError, match="repeats must be a whole number >= 1"):
            _stream(repeats=repeats)


def test_the_input_shape_is_that_of_the_element():
    def mapped(x, mask):
        return x, {"mask": ops.of(mask).cast(mask, "int32")}

    stream = _stream(mix=paired.crop((8, 6), margin=1), map=mapped)
    assert stream.input_shape == (8, 6, 1) and _stream().input_shape == (12, 10, 1)
    assert stream.element_spec == (((None, 8, 6, 1), "uint8"), {"mask": ((None, 6, 4), "int32")})
    x, y = next(iter(stream.open()))
    assert x.shape[1:] == stream.input_shape and y["mask"].shape[1:] == (6, 4)
    by_tensors = _stream(map=lambda x, y: (tf.cast(x, tf.float32), y))
    assert by_tensors.element_spec == (((None, 12, 10, 1), "float32"), ((None, 12, 10), "uint8"))


def test_a_window_says_its_size():
    assert (paired.crop(8, 1).size, paired.crop(8, 1).margin) == ((8, 8), 1)
    assert paired.warp(rotation=3).size is None and windows.places(512, 572, 92).tolist() == [-92, 32]
