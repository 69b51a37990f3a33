"""RMSpropNesterov and Lookahead a step at a time, outside of `fit`."""

import keras
import numpy as np
import pytest

import zoo
from zoo.optimizers import Lookahead, RMSpropNesterov, optimizer


def test_a_gradient_of_zero_leaves_the_parameters_where_they_are():
    point = keras.Variable([1.0, -2.0])
    made = RMSpropNesterov(0.1)
    for _ in range(3):
        made.apply([keras.ops.zeros(2)], [point])
    np.testing.assert_array_equal(point.numpy(), [1.0, -2.0])


def test_weight_decay_is_taken_at_the_look_ahead_point():
    point = keras.Variable([1.0, -2.0])
    made = RMSpropNesterov(0.1, weight_decay=0.3, momentum=0.5)
    theta, v, r = np.array([1.0, -2.0]), 0, 0
    for _ in range(6):
        made.apply([keras.ops.ones(2)], [point])
        ahead = theta + 0.5 * v
        r = 0.9 * r + 0.1
        v = 0.5 * v - 0.1 / np.sqrt(r + 1e-7)
        theta = theta - 0.1 * 0.3 * ahead + v
    made.finalize_variable_values([point])
    np.testing.assert_allclose(point.numpy(), theta, rtol=1e-5)


def test_with_a_moving_average_the_model_is_left_with_it():
    made = RMSpropNesterov(0.1, use_ema=True, ema_momentum=0.5, momentum=0.5)
    point, average = keras.Variable([1.0]), 1.0
    for step in range(4):
        made.apply([keras.ops.ones(1)], [point])
        average = float(point[0]) if step == 0 else 0.5 * average + 0.5 * float(point[0])
    made.finalize_variable_values([point])
    np.testing.assert_allclose(point.numpy(), [average], rtol=1e-6)


def test_a_variable_left_out_of_a_step_is_moved_to_its_parameter_too():
    frozen, free = keras.Variable([1.0]), keras.Variable([1.0])
    made = RMSpropNesterov(0.1, rho=0.0, momentum=0.5)
    made.apply([keras.ops.ones(1)] * 2, [frozen, free])
    held = float(frozen[0])
    made.apply([keras.ops.ones(1)], [free])
    assert float(frozen[0]) == held
    made.finalize_variable_values([free])
    np.testing.assert_allclose([float(frozen[0]), float(free[0])], [0.9, 0.75], atol=1e-6)


@pytest.mark.parametrize(
    "options", [{"rho": 1.0}, {"rho": -0.1}, {"momentum": 1.0}, {"momentum": -1}, {"epsilon": 0.0}]
)
def test_rmsprop_nesterov_refuses_what_cannot_work(options):
    (name,) = options
    with pytest.raises(zoo.ZooError, match=f"{name} must be "):
        RMSpropNesterov(**options)


def test_a_fit_that_ends_within_a_cycle_ends_it_and_the_next_begins_one():
    point = keras.Variable(0.0)
    made = Lookahead(keras.optimizers.SGD(1.0), k=3, alpha=0.5)
    seen = []
    for step in range(1, 6):
        made.apply([keras.ops.ones(())], [point])
        if step == 2:
            made.finalize_variable_values([point])
            made.finalize_variable_values([point])
        seen.append(float(point.numpy()))
    assert seen == [-1.0, -1.0, -2.0, -3.0, -2.5]


def test_weights_set_between_two_cycles_are_where_the_next_begins():
    point = keras.Variable(0.0)
    made = Lookahead(keras.optimizers.SGD(1.0), k=2, alpha=0.5)
    for step in range(4):
        if step == 2:
            point.assign(100.0)
        made.apply([keras.ops.ones(())], [point])
    assert float(point.numpy()) == 99.0


def test_a_variable_left_out_of_a_step_stays_where_it_is():
    frozen, free = keras.Variable(0.0), keras.Variable(0.0)
    made = Lookahead(keras.optimizers.SGD(1.0), k=2, alpha=0.5)
    made.apply([keras.ops.ones(())] * 2, [frozen, free])
    for _ in range(3):
        made.apply([keras.ops.ones(())], [free])
    assert (float(frozen.numpy()), float(free.numpy())) == (-1.0, -3.0 + 0.5 + 0.5)


def test_its_rate_is_the_inner_one():
    inner = keras.optimizers.SGD(0.5)
    made = Lookahead(inner)
    made.learning_rate = 0.25
    assert float(inner.learning_rate) == float(made.learning_rate) == 0.25
    assert isinstance(made.learning_rate, keras.Variable)


def test_weight_decay_can_be_left_out_of_some_weights():
    decayed, spared = keras.Variable(1.0, name="kernel"), keras.Variable(1.0, name="bias")
    made = Lookahead(keras.optimizers.SGD(0.1, weight_decay=0.5))
    made.exclude_from_weight_decay(var_names=["bias"])
    made.apply([keras.ops.zeros(())] * 2, [decayed, spared])
    np.testing.assert_allclose([float(decayed.numpy()), float(spared.numpy())], [0.95, 1.0], atol=1e-6)


@pytest.mark.parametrize(
    "arguments, argument",
    [
        (("adam",), "optimizer"),
        ((keras.optimizers.SGD,), "optimizer"),
        ((keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD()),), "optimizer"),
        ((keras.optimizers.SGD(), 0), "k"),
        ((keras.optimizers.SGD(), 2.5), "k"),
        ((keras.optimizers.SGD(), 5, 0.0), "alpha"),
        ((keras.optimizers.SGD(), 5, 1.1), "alpha"),
    ],
)
def test_lookahead_refuses_what_cannot_work(arguments, argument):
    with pytest.raises(zoo.ZooError, match=f"{argument} must be "):
        Lookahead(*arguments)


def test_by_name_they_are_these():
    made = optimizer("lookahead_rmsprop_nesterov", 0.05, k=7, alpha=0.25, momentum=0.5)
    assert isinstance(made, Lookahead) and (made.k, made.alpha) == (7, 0.25)
    assert isinstance(made.inner_optimizer, RMSpropNesterov) and made.inner_optimizer.momentum == 0.5
