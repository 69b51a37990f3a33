"""Convolution by number: against loops, against Keras' layers, against closed forms."""

import itertools

import keras
import numpy as np
import pytest

import zoo
from zoo import ZooError, convolution
from zoo.pictures import convolution as pictures


def _random(*shape):
    return np.random.default_rng(0).normal(size=shape)


def _loops(x, kernel, padding, stride):
    """(height, width, in) by (height, width, in, out), place by place."""
    (top, left), (down, across) = padding, stride
    x = np.pad(x, ((top, top), (left, left), (0, 0)))
    rows = range(0, x.shape[0] - kernel.shape[0] + 1, down)
    columns = range(0, x.shape[1] - kernel.shape[1] + 1, across)
    return np.array(
        [
            [np.einsum("hwi,hwio->o", x[i : i + kernel.shape[0], j : j + kernel.shape[1]], kernel) for j in columns]
            for i in rows
        ]
    )


@pytest.mark.parametrize("padding", [(0, 0), (1, 0), (2, 3)])
@pytest.mark.parametrize("stride", [(1, 1), (2, 1), (3, 2)])
def test_cross_correlation_and_pooling_are_their_loops(padding, stride):
    x, kernel, bias = _random(7, 6, 2), _random(3, 4, 2, 5), _random(5)
    expected = _loops(x, kernel, padding, stride)
    np.testing.assert_allclose(
        convolution.cross_correlation(x, kernel, padding, stride, bias), expected + bias, atol=1e-5
    )
    sizes = [convolution.output_size(*each) for each in zip((7, 6), (3, 4), padding, stride, strict=True)]
    assert expected.shape == (*sizes, 5)
    for channel in range(2):
        mean = _loops(x[..., channel : channel + 1], np.full((3, 4, 1, 1), 1 / 12), padding, stride)[..., 0]
        np.testing.assert_allclose(convolution.pool(x, (3, 4), "mean", padding, stride)[..., channel], mean, atol=1e-6)
        np.testing.assert_allclose(convolution.pool(x[..., channel], (3, 4), "mean", padding, stride), mean, atol=1e-6)
    padded = np.pad(x, (*((p, p) for p in padding), (0, 0)), constant_values=-np.inf)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 4), (0, 1))[:: stride[0], :: stride[1]]
    np.testing.assert_array_equal(
        convolution.pool(x, (3, 4), "max", padding, stride), windows.max((-2, -1)).astype("float32")
    )


def test_layers_of_keras_compute_the_same():
    x, kernel, bias = _random(8, 8, 3), _random(3, 3, 3, 4), _random(4)
    layer = keras.layers.Conv2D(4, 3, 2, "valid")
    layer.build((None, 8, 8, 3))
    layer.set_weights([kernel, bias])
    np.testing.assert_allclose(
        convolution.cross_correlation(x, kernel, stride=2, bias=bias), layer(x[None])[0], atol=1e-5
    )
    layer = keras.layers.Conv1D(4, 3)
    layer.build((None, 8, 3))
    layer.set_weights([kernel[0], bias])
    np.testing.assert_allclose(convolution.cross_correlation(x[0], kernel[0], bias=bias), layer(x[:1])[0], atol=1e-5)
    np.testing.assert_array_equal(convolution.pool(x, 2), keras.layers.MaxPooling2D(2)(x[None])[0])
    np.testing.assert_array_equal(convolution.pool(x[0], (2,)), keras.layers.MaxPooling1D(2)(x[:1])[0])


def test_convolution_turns_the_kernel_around_and_nothing_else():
    signal, kernel = _random(9), _random(4)
    np.testing.assert_allclose(convolution.convolution(signal, kernel), np.convolve(signal, kernel, "valid"), atol=1e-5)
    x, kernel = _random(6, 5, 2), _random(2, 3, 2, 4)
    np.testing.assert_array_equal(
        convolution.convolution(x, kernel, 1, 2), convolution.cross_correlation(x, kernel[::-1, ::-1], 1, 2)
    )
    # The product of polynomials: (1 + 2t + 3t^2)(1 - t).
    assert convolution.convolution([1, 2, 3], [1, -1], padding=1).tolist() == [1, 1, 1, -3]


def test_output_size_counts_the_places():
    for size, kernel, padding, stride in itertools.product(range(1, 8), range(1, 5), range(3), range(1, 4)):
        places = len(range(0, size + 2 * padding - kernel + 1, stride))
        if places:
            assert convolution.output_size(size, kernel, padding, stride) == places
        else:
            with pytest.raises(ZooError, match="the padded input"):
                convolution.output_size(size, kernel, padding, stride)


def test_receptive_field_is_what_changes_an_output():
    layers = [(3, 2), (2, 1), (3, 3), (1, 1)]
    seen = convolution.receptive_field(layers)

    def answer(signal):
        for kernel, stride in layers:
            signal = convolution.cross_correlation(signal, np.ones(kernel), stride=stride)
        return signal[0]

    touched = [answer(np.eye(40)[i]) != 0 for i in range(40)]
    assert touched == [True] * seen + [False] * (40 - seen)
    assert convolution.receptive_field([]) == 1


def test_the_connections_of_lenet5_are_those_of_the_paper():
    """LeCun et al. 1998, section II.B, layer by layer; C3 has 1 516 parameters at 10 x 10 places."""
    model = zoo.build("lenet5")
    expected = {"c1": 122_304, "s2": 5_880, "c3": 151_600, "s4": 2_000, "c5": 48_120, "f6": 10_164}
    assert convolution.connections(model) == expected
    assert model.get_layer("c3").count_params() == 1_516


def test_connections_of_plain_layers():
    found = convolution.connections(zoo.build("lenet"))
    assert found == {
        "conv1": 28 * 28 * 6 * (25 + 1),
        "pool1": 14 * 14 * 6 * 4,
        "conv2": 10 * 10 * 16 * (25 * 6 + 1),
        "pool2": 5 * 5 * 16 * 4,
        "dense1": 48_120,
        "dense2": 10_164,
        "output": 850,
    }


def test_gradient_descent_finds_the_edge_kernel_as_fast_as_its_curvature_says():
    """From zeros the error lies along [1, -1], where the squared error of the bar has the curvature 2 / 7."""
    x = pictures.bar_image()
    kernels = pictures.learn_kernel(x, convolution.cross_correlation(x, [[1, -1]]), (1, 2), steps=20, rate=1.0)
    found = 1 - (5 / 7) ** np.arange(21)
    np.testing.assert_allclose(kernels, found[:, None, None] * np.array([[[1, -1]]]), atol=1e-5)
    assert np.abs(kernels[-1] - [[1, -1]]).max() < 0.1


def test_change_under_shift():
    image = np.zeros((1, 3, 3))
    image[0, 1, 1] = 5
    assert pictures.change_under_shift(image, np.sum) == 0
    # A pixel that moves is gone here and new there.
    assert pictures.change_under_shift(image, lambda x: x) == pytest.approx(np.sqrt(2))
    # With its margin it stands at column 3 and moves to column 4: into the next window of two, not into that of three.
    assert pictures.change_under_shift(image, lambda x: convolution.pool(x, 2)) == pytest.approx(np.sqrt(2))
    assert pictures.change_under_shift(image, lambda x: convolution.pool(x, 3)) == 0


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: convolution.cross_correlation([[1, 2], [3]], [[1]]), "x must be an array of numbers"),
        (lambda: convolution.cross_correlation(np.ones((4, 4, 2)), np.ones((2, 2, 2))), "both be of one or two axes"),
        (lambda: convolution.cross_correlation(np.ones((4, 4)), np.ones(2)), "both be of one or two axes"),
        (lambda: convolution.cross_correlation(np.ones((4, 4, 2)), np.ones((2, 2, 3, 1))), "3 input channels"),
        (lambda: convolution.cross_correlation(np.ones((3, 3)), np.ones((2, 4))), "at most 3, the padded input"),
        (lambda: convolution.cross_correlation(np.ones(3), np.ones(2), stride=0), "stride must be an integer >= 1"),
        (lambda: convolution.cross_correlation(np.ones((3, 3)), np.ones((2, 2)), padding=(1,)), "padding must be"),
        (lambda: convolution.cross_correlation(np.ones(3), np.ones(2), bias=[1, 2]), "bias must be a number, or 1"),
        (lambda: convolution.convolution(np.ones((4, 4)), np.ones(2)), "both be of one or two axes"),
        (lambda: convolution.pool(np.ones((4, 4)), 2, "median"), "kind must be one of 'max', 'mean'"),
        (lambda: convolution.pool(np.ones((4, 4)), 2, padding=2), "padding must be less than the window"),
        (lambda: convolution.pool(np.ones((4, 4)), (2, 2, 2)), "an axis for each of the window's"),
        (lambda: convolution.pool(np.ones((4, 4)), 5), "at most 4, the padded input"),
        (lambda: convolution.receptive_field([3]), "a pair"),
        (lambda: pictures.learn_kernel(np.ones((4, 4)), np.ones((4, 4)), (1, 2)), "y must be of shape"),
        (lambda: pictures.change_under_shift(np.ones((4, 4)), np.sum), "images must be"),
    ],
)
def test_what_cannot_work_is_refused(call, message):
    with pytest.raises(ZooError, match=message):
        call()
