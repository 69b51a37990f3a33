"""Half precision: a reduced set learns under both policies, and what is chosen and said of precision and of XLA."""

import json

import keras
import numpy as np
import pytest

import zoo
from zoo import execution, runs

POLICIES = ("mixed_float16", "mixed_bfloat16")


MLP = "mlp_digits", dict(epochs=4, dropout=0.0), 0.85
LSTM = "lstm_digits_rows", dict(epochs=6, units=16), 0.55


@pytest.mark.parametrize(
    ("name", "hyper", "least", "precision"),
    [(*MLP, "mixed_float16"), (*LSTM, "mixed_float16"), (*LSTM, "mixed_bfloat16")],
)
def test_digits_are_learned_in_half_precision(name, hyper, least, precision, tmp_path):
    result = zoo.train(
        name, folder=tmp_path / "run", precision=precision, export=False, pictures=False, verbose=0, **hyper
    )
    assert result.metrics["val_accuracy"] > least
    half = precision.removeprefix("mixed_")
    layers = [layer for layer in execution.layers(result.model) if layer.weights]
    assert half in {layer.compute_dtype for layer in layers}
    # What is learned is kept in float32; the logits are, too, which the loss is computed of.
    assert {weight.dtype for weight in result.model.trainable_weights} == {"float32"}
    assert keras.backend.standardize_dtype(result.model.output.dtype) == "float32"
    scaled = isinstance(result.model.optimizer, keras.optimizers.LossScaleOptimizer)
    assert scaled == (precision == "mixed_float16")


def test_two_players_learn_with_scaled_losses_and_are_resumed_to_the_bit(tmp_path):
    hyper = dict(epochs=2, hidden=(16,), units=(16,), steps_per_execution=1)
    given = dict(precision="mixed_float16", export=False, pictures=False, verbose=0, **hyper)
    whole = zoo.train("gan_ring", folder=tmp_path / "whole", **given)
    with pytest.raises(zoo.recorder.Interrupted):
        zoo.train("gan_ring", folder=tmp_path / "parts", until=1, **given)
    parts = zoo.resume(tmp_path / "parts", verbose=0)
    for a, b in zip(whole.model.get_weights(), parts.model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    for row in runs.history(tmp_path / "whole"):
        assert all(np.isfinite(value) for value in row.values() if isinstance(value, float)), row


def test_precision_that_changes_nothing_is_told(tmp_path, capsys):
    zoo.train(
        "q_learning_corridor",
        folder=tmp_path / "run",
        epochs=1,
        precision="mixed_float16",
        export=False,
        pictures=False,
        verbose=2,
    )
    assert "precision: mixed_float16 (as asked, and of no effect: every layer with weights" in capsys.readouterr().out
    record = json.loads((tmp_path / "run" / "recipe.json").read_text())
    assert record["execution"]["precision"] == "mixed_float16"


@pytest.fixture
def on_gpu(monkeypatch):
    monkeypatch.setattr(keras.distribution, "list_devices", lambda kind=None: [f"{kind}:0"])


def _recurrent(wrapped=False):
    model = zoo.build("lstm", input_shape=(4, 3), num_classes=2, units=4, bidirectional=wrapped)
    # As Keras marks them where there is a GPU.
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.LSTM):
            layer.supports_jit = False
    return model


@pytest.mark.parametrize("wrapped", [False, True])
def test_xla_is_left_out_where_cudnn_computes(wrapped, on_gpu):
    model = _recurrent(wrapped)
    chosen, why = execution.jit_compile(True, model)
    assert not chosen and why.startswith("left out, though asked for") and "lstm" in why
    assert execution.jit_compile("auto", model) == (False, "cuDNN's recurrent kernels and XLA exclude each other")
    assert execution.jit_compile(False, model) == (False, "as asked")
    dense = zoo.build("mlp")
    assert execution.jit_compile(True, dense) == (True, "as asked")
    assert execution.jit_compile("auto", dense) == (True, "XLA pays on a GPU")


@pytest.mark.parametrize("policy", POLICIES)
def test_the_zoo_s_lstm_hands_over_to_keras_on_a_gpu_under_any_policy(policy, on_gpu, monkeypatch):
    keras.config.set_dtype_policy(policy)
    try:
        model = zoo.build("lstm", input_shape=(4, 3), num_classes=2, units=4)
    finally:
        keras.config.set_dtype_policy("float32")
    taken = []
    original = keras.layers.LSTM.inner_loop

    def inner_loop(self, sequences, *more, **named):
        taken.append(keras.backend.standardize_dtype(sequences.dtype))
        return original(self, sequences, *more, **named)

    monkeypatch.setattr(keras.layers.LSTM, "inner_loop", inner_loop)
    model(np.zeros((2, 4, 3), "float32"), training=True)
    assert taken == [policy.removeprefix("mixed_")]
