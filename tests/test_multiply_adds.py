"""Multiply-adds of a forward pass: the papers' numbers, and closed forms of layers."""

import keras
import numpy as np
import pytest

import zoo
from zoo import execution
from zoo.multiply_adds import multiply_adds


def counted(model, *shapes):
    return multiply_adds(model, [np.zeros((1, *shape), "float32") for shape in shapes])


@pytest.mark.parametrize(
    "name, side, published, share",
    [
        ("resnet50", 224, 4.1e9, 0.01),  # 3.8e9 in the paper, which halves the image one convolution earlier
        ("vgg16", 224, 15.5e9, 0.01),
        ("alexnet", 224, 0.72e9, 0.01),
        ("googlenet", 224, 1.5e9, 0.06),
        ("resnet20", 32, 40.8e6, 0.01),
    ],
)
def test_the_counts_of_the_papers(name, side, published, share):
    model = zoo.build(name)
    found = counted(model, (side, side, 3))
    assert found == pytest.approx(published, rel=share)
    assert found == pytest.approx(execution.operations(model) / 3, rel=1e-6), "the count that decides how a run runs"


@pytest.mark.parametrize(
    "layer, shape, expected",
    [
        (keras.layers.Dense(7), (5,), 5 * 7),
        (keras.layers.Dense(7), (3, 5), 3 * 5 * 7),
        (keras.layers.Conv2D(6, (3, 5), strides=2), (9, 9, 4), 4 * 3 * 6 * 15 * 4),
        (keras.layers.Conv2DTranspose(6, 3, strides=2, padding="same"), (8, 8, 4), 64 * 4 * 9 * 6),
        (keras.layers.DepthwiseConv2D(3), (8, 8, 4), 36 * 4 * 9),
        (keras.layers.SimpleRNN(6), (5, 4), 5 * (4 * 6 + 6 * 6)),
        (keras.layers.Bidirectional(keras.layers.LSTM(6)), (5, 4), 2 * 5 * 4 * (4 * 6 + 6 * 6)),
        (keras.layers.BatchNormalization(), (8, 8, 4), 0),
        (keras.layers.Lambda(lambda x: keras.ops.matmul(x, np.ones((5, 5), "float32"))), (5,), 0),
        (keras.layers.Lambda(lambda x: keras.ops.einsum("bij,bkj->bik", x, x)), (3, 5), 3 * 3 * 5),
        (keras.layers.Lambda(lambda x: keras.ops.matmul(x, keras.ops.transpose(x, (0, 2, 1)))), (3, 5), 3 * 3 * 5),
    ],
)
def test_layers_against_their_formulas(layer, shape, expected):
    inputs = keras.Input(shape)
    assert counted(keras.Model(inputs, layer(inputs)), shape) == expected


def test_a_loop_of_unknown_length_is_not_counted_and_layers_stay_as_they_were():
    inputs = keras.Input((4,))
    halved = keras.layers.Lambda(
        lambda x: keras.ops.while_loop(lambda y: keras.ops.max(y) > 1, lambda y: (y / 2,), (x,))[0], output_shape=(4,)
    )
    assert counted(keras.Model(inputs, halved(inputs)), (4,)) is None
    model = zoo.build("gru", vocabulary="abc", units=4)
    layer = next(each for each in execution.layers(model) if isinstance(each, keras.layers.GRU))
    assert multiply_adds(model, [np.zeros((1, 9), "int32")]) == 9 * (5 * 12 + 4 * 12 + 4 * 5)
    assert not layer.unroll
