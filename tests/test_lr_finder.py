"""The range test: its sweep, its losses, its stop, what it suggests, and that it leaves nothing behind."""

import keras
import numpy as np
import pytest

from callbacks import Schedule, constant
from callbacks.lr_finder import LRFinder

X = np.random.default_rng(0).normal(size=(320, 4)).astype("float32")
Y = X @ np.array([[1.0], [-2.0], [3.0], [0.5]], "float32") + 1


class Seen(keras.callbacks.Callback):
    """Weights before each step and rates of each step."""

    def on_train_begin(self, logs=None):
        self.weights, self.rates = [], []

    def on_train_batch_begin(self, batch, logs=None):
        self.weights.append([np.array(weight) for weight in self.model.get_weights()])

    def on_train_batch_end(self, batch, logs=None):
        self.rates.append(float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate)))


def linear_model(optimizer=None, loss="mse", **compiled):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile(optimizer or keras.optimizers.SGD(0.01), loss, **compiled)
    return model


def find(model, finder, *others, epochs=10, batch_size=32, **named):
    model.fit(X, Y, batch_size, epochs, verbose=0, shuffle=False, callbacks=[finder, *others], **named)
    return finder


def everything(model):
    return [np.array(keras.ops.convert_to_numpy(v.value)) for v in (*model.variables, *model.optimizer.variables)]


def test_each_step_has_its_rate_and_its_own_loss():
    """Over several epochs, the last batch of each smaller than the others."""
    seen = Seen()
    finder = find(linear_model(), LRFinder(1e-4, 1e-2, steps=25), seen, batch_size=42)
    np.testing.assert_allclose(finder.rates, 1e-4 * 100 ** (np.arange(25) / 24), rtol=1e-12)
    np.testing.assert_allclose(seen.rates, finder.rates, rtol=1e-6)
    assert len(finder.losses) == len(seen.weights) == 25
    for step, (kernel, bias) in enumerate(seen.weights):
        begin = step % 8 * 42
        x, y = X[begin : begin + 42], Y[begin : begin + 42]
        assert finder.losses[step] == pytest.approx(np.mean((x @ kernel + bias - y) ** 2), rel=1e-5)


@pytest.mark.parametrize(
    "optimizer",
    [
        lambda: keras.optimizers.Adam(0.02, weight_decay=0.01, use_ema=True),
        lambda: keras.optimizers.SGD(0.02, momentum=0.9),
        lambda: keras.optimizers.LossScaleOptimizer(keras.optimizers.RMSprop(0.02)),
    ],
)
@pytest.mark.parametrize("trained", [False, True])
def test_everything_is_put_back_bit_for_bit(optimizer, trained):
    def model():
        keras.utils.set_random_seed(1)
        layers = [keras.layers.Dense(8), keras.layers.BatchNormalization(), keras.layers.Dropout(0.3)]
        made = keras.Sequential([keras.Input((4,)), *layers, keras.layers.Dense(1)])
        made.compile(optimizer(), "mse", metrics=["mae"])
        if trained:
            find(made, keras.callbacks.Callback(), epochs=1)
        return made

    tested, untouched = model(), model()
    if not trained:
        tested.optimizer.build(tested.trainable_variables)
    before = everything(tested)
    finder = find(tested, LRFinder(steps=40))
    assert finder.losses[-1] != finder.losses[0]
    for a, b in zip(before, everything(tested), strict=True):
        np.testing.assert_array_equal(a, b)
    for one in (tested, untouched):
        find(one, keras.callbacks.Callback(), epochs=2)
    assert tested.stop_training is False and len(tested.history.epoch) == 2
    for a, b in zip(everything(untouched), everything(tested), strict=True):
        np.testing.assert_array_equal(a, b)


def test_an_optimizer_on_the_side_is_put_back_too():
    class Two(keras.Sequential):
        def train_step(self, data):
            self.other.assign_add(self.other_optimizer.learning_rate)
            self.other_optimizer.apply([keras.ops.ones(())], [self.other])
            return super().train_step(data)

    model = Two([keras.Input((4,)), keras.layers.Dense(1)])
    model.other = keras.Variable(1.0, trainable=False, name="other")
    model.other_optimizer = keras.optimizers.Adam(0.1)
    model.other_optimizer.build([model.other])
    model.compile("sgd", "mse")
    find(model, LRFinder(steps=20), Seen())
    assert float(model.other.value) == 1
    assert [float(np.sum(np.abs(v))) for v in model.other_optimizer.variables] == pytest.approx([0, 0.1, 0, 0])


def test_training_stops_where_the_loss_diverges():
    finder = find(linear_model(), LRFinder(1e-3, 1e3, steps=100))
    steps = len(finder.losses)
    rates, means = finder.smoothed
    assert 20 < steps < 95 and np.isfinite(finder.losses).all()
    assert means[-1] > 4 * means[9:-1].min() and means[-2] <= 4 * means[9:-2].min()
    assert 0.5 < finder.rates[-1] < 50, "gradient descent on this square diverges from a rate of about 1"


def test_a_loss_that_is_no_number_stops_at_once():
    model = linear_model(
        loss=lambda y, p: keras.ops.mean(p - y) / keras.ops.cast(model.optimizer.iterations < 15, "float32")
    )
    finder = find(model, LRFinder(1e-8, 1e-7, steps=50))
    assert len(finder.losses) == 16 and not np.isfinite(finder.losses[-1])
    finder.figure().canvas.draw()


def test_a_loss_below_zero_has_not_diverged():
    finder = find(
        linear_model(loss=lambda y, p: keras.ops.mean(keras.ops.square(p - y)) - 100), LRFinder(1e-5, 1e-2, 60)
    )
    assert len(finder.losses) == 60


@pytest.mark.parametrize("smoothing", [0.0, 0.9])
def test_the_running_mean(smoothing):
    finder = LRFinder(1e-3, 1.0, steps=40, smoothing=smoothing)
    finder.rates = list(np.geomspace(1e-3, 1.0, 40))
    finder.losses = list(5 - 0.7 * np.log(finder.rates))
    rates, means = finder.smoothed
    weights = smoothing ** np.arange(40.0)
    for k in (0, 1, 20, 39):
        w = weights[: k + 1][::-1]
        assert means[k] == pytest.approx(np.sum(w * finder.losses[: k + 1]) / w.sum())
    np.testing.assert_allclose(means, 5 - 0.7 * np.log(rates), err_msg="a straight line stays where it is")


@pytest.mark.parametrize("smoothing", [0.0, 0.9])
def test_the_suggestion_is_where_the_loss_falls_most_steeply(smoothing):
    finder = LRFinder(1e-6, 10.0, steps=400, smoothing=smoothing)
    x = np.linspace(-6, 1, 400)
    finder.rates = list(10**x)
    finder.losses = list(2.0 - np.tanh(2 * (x + 2)) + np.exp(4 * x))  # steepest at 1e-2, lowest between 0.1 and 1
    assert np.log10(finder.suggestion) == pytest.approx(-2, abs=0.05)
    lowest = x[np.argmin(finder.losses)]
    assert np.log10(finder.tenth) == pytest.approx(lowest - 1, abs=0.1)


def test_there_is_no_suggestion_where_the_loss_falls_nowhere():
    finder = LRFinder(steps=20)
    finder.figure().canvas.draw()
    finder.rates, finder.losses = list(np.geomspace(1e-6, 10, 20)), list(np.linspace(1.0, 2.0, 20))
    assert finder.suggestion is None and finder.tenth is None
    finder.losses = [float("nan")] * 20
    assert finder.suggestion is None
    finder.figure().canvas.draw()


@pytest.mark.parametrize("optimizer", [keras.optimizers.SGD, keras.optimizers.Adam])
def test_the_suggestion_trains_well_and_a_hundred_times_it_does_not(optimizer):
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    images = images.astype("float32") / 16
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(32, "relu"), keras.layers.Dense(10)])
    model.compile(optimizer(), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    finder, born = LRFinder(), model.get_weights()
    model.fit(images, labels, 32, 2, verbose=0, shuffle=False, callbacks=[finder])

    def loss_at(rate):
        model.set_weights(born)
        for variable in model.optimizer.variables:
            variable.assign(keras.ops.zeros_like(variable))
        model.optimizer.learning_rate = rate
        return model.fit(images, labels, 32, 3, verbose=0, shuffle=False).history["loss"][-1]

    at_start = np.log(10)
    assert loss_at(finder.suggestion) < 0.2 * at_start
    assert loss_at(finder.suggestion / 100) > 0.8 * at_start
    assert not loss_at(100 * finder.suggestion) < 0.8 * at_start


def test_with_several_losses_it_follows_their_sum():
    keras.utils.set_random_seed(0)
    inputs = keras.Input((4,))
    model = keras.Model(inputs, {"a": keras.layers.Dense(1)(inputs), "b": keras.layers.Dense(1)(inputs)})
    model.compile("sgd", {"a": "mse", "b": "mae"}, loss_weights={"a": 1.0, "b": 10.0})
    weights = model.get_weights()
    finder = LRFinder(steps=10)
    model.fit(X, {"a": Y, "b": Y}, 32, verbose=0, shuffle=False, callbacks=[finder])
    x, y = X[:32], Y[:32]
    a, b = x @ weights[0] + weights[1], x @ weights[2] + weights[3]
    assert finder.losses[0] == pytest.approx(np.mean((a - y) ** 2) + 10 * np.mean(np.abs(b - y)), rel=1e-5)


def test_ctrl_c_leaves_what_restore_puts_back():
    class Interrupt(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 5:
                raise KeyboardInterrupt

    model = linear_model()
    before = everything(linear_model())
    finder = LRFinder()
    with pytest.raises(KeyboardInterrupt):
        find(model, finder, Interrupt())
    finder.restore()
    for a, b in zip(before, everything(model), strict=True):
        np.testing.assert_array_equal(a, b)
    assert len(find(model, finder).losses) > 20, "it can be used again"


def test_the_picture_marks_both_rates():
    finder = find(linear_model(), LRFinder(1e-4, 1e2))
    figure = finder.figure()
    figure.canvas.draw()
    (axis,) = figure.axes
    marked = [line.get_xdata()[0] for line in axis.lines if len(line.get_xdata()) == 2]
    assert marked == [finder.suggestion, finder.tenth]
    assert axis.get_xscale() == "log" and axis.get_xlabel() == "learning rate"
    bottom, top = axis.get_ylim()
    assert bottom < min(finder.smoothed[1]) and top < 3 * finder.losses[0]


@pytest.mark.parametrize(
    "model, finder, epochs, said",
    [
        (lambda: linear_model(steps_per_execution=2), {}, 10, "steps_per_execution=1.*Received.*2"),
        (linear_model, {}, 9, "takes 100 steps.*9 epochs of 10.*epochs=10"),
        (
            lambda: linear_model(keras.optimizers.SGD(keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9))),
            {},
            10,
            "Compile with a float",
        ),
    ],
)
def test_a_fit_that_it_cannot_follow_is_refused(model, finder, epochs, said):
    with pytest.raises(ValueError, match=said):
        find(model(), LRFinder(**finder), epochs=epochs)


def test_a_model_without_weights_is_refused():
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="no weights yet"):
        find(model, LRFinder())


def test_a_schedule_of_the_rate_beside_it_is_refused_and_nothing_is_changed():
    model = linear_model()
    with pytest.raises(ValueError, match="something else sets the learning rate"):
        find(model, LRFinder(), Schedule("learning_rate", constant(0.3)))
    for a, b in zip(everything(linear_model()), everything(model), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    "wrong", [{"low": 0}, {"low": 1, "high": 0.1}, {"steps": 1}, {"steps": 10.5}, {"smoothing": 1}, {"divergence": 1}]
)
def test_arguments_outside_their_range_are_refused(wrong):
    name, value = list(wrong.items())[-1]
    with pytest.raises(ValueError, match=f"{name}={value}"):
        LRFinder(**wrong)
