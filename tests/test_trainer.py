"""The main job through `zoo.train`: what a run folder holds, what is refused, what is reproduced."""

import json

import keras
import numpy as np
import pytest

import zoo
from zoo import execution, preparation, runs, state

FILES = {
    "recipe.json",
    "recipe.py",
    "history.csv",
    "tensorboard",
    "checkpoints",
    "metrics.json",
    "model.keras",
    "savedmodel",
    "model.tflite",
    "labels.txt",
    "curves.png",
    "confusion.png",
    "mistakes.png",
}


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trainer") / "run"
    return zoo.train("mlp_digits", seed=1, folder=folder, epochs=8, verbose=0)


def test_the_run_folder_is_complete(result):
    assert {path.name for path in result.folder.iterdir()} == FILES
    record = runs.read(result.folder)
    assert record["recipe"] == "mlp_digits" and record["seed"] == 1 and record["hyper"]["epochs"] == 8
    assert record["versions"]["keras"] == keras.__version__
    assert set(record["data"]) == {"train", "validation", "test"}
    assert result.metrics == runs.metrics(result.folder)
    assert result.metrics["test_accuracy"] > 0.9
    assert [row["epoch"] for row in runs.history(result.folder)] == list(range(1, 9))
    assert list((result.folder / "tensorboard").rglob("events.*"))


def test_evaluate_reproduces_the_stored_metrics_exactly(result):
    again = zoo.evaluate(result.folder)
    assert again == {key: value for key, value in result.metrics.items() if key.startswith(("val_", "test_"))}


def test_load_gives_the_model_back(result):
    again = zoo.load(result.folder)
    for a, b in zip(again.get_weights(), result.model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_same_seed_gives_the_same_weights_whatever_the_execution(result, tmp_path):
    steps = execution.divisor(runs.read(result.folder)["execution"]["steps_per_execution"], 1)
    again = zoo.train(
        "mlp_digits",
        seed=1,
        folder=tmp_path / "a",
        epochs=8,
        export=False,
        pictures=False,
        verbose=0,
        steps_per_execution=steps,
    )
    for a, b in zip(again.model.get_weights(), result.model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_folder_in_use_is_not_overwritten(result, tmp_path):
    with pytest.raises(zoo.ZooError, match="not empty.*zoo resume .*--overwrite"):
        zoo.train("mlp_digits", folder=result.folder, verbose=0)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("do not delete")
    with pytest.raises(zoo.ZooError, match="not a run's"):
        zoo.train("mlp_digits", folder=tmp_path / "mine", overwrite=True, verbose=0)
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "do not delete"


def test_the_default_folder_is_the_next_free_one():
    folders = [
        zoo.train("perceptron_digits", epochs=1, export=False, pictures=False, verbose=0).folder for _ in range(2)
    ]
    assert [str(folder) for folder in folders] == ["runs/perceptron_digits/1", "runs/perceptron_digits/2"]


@pytest.mark.parametrize(
    "arguments, words",
    [
        (dict(name="lenet_digit"), "Did you mean 'lenet_digits'"),
        (dict(name="lenet5"), "That is a model"),
        (dict(name="nowhere.py"), "no recipe file"),
        (dict(name="mlp_digits", epoch=3), "no hyper-parameter 'epoch'.*Did you mean 'epochs'"),
        (dict(name="mlp_digits", epochs=0), "epochs must be"),
        (dict(name="mlp_digits", seed=-1), "seed must be"),
        (dict(name="mlp_digits", batch_size=0), "batch_size must be"),
        (dict(name="mlp_digits", precision="float8"), "precision must be one of"),
        (dict(name="mlp_digits", steps_per_execution=7), "must divide the .* What works: 1, "),
        (dict(name="images", model="lenet"), "upsample|larger|28"),
    ],
)
def test_bad_input_is_refused_and_leaves_nothing(arguments, words, own_folder):
    with pytest.raises(zoo.ZooError, match=words):
        zoo.train(arguments.pop("name"), verbose=0, **arguments)
    assert not (own_folder / "runs").exists()


def test_a_loss_that_becomes_nan_stops_the_run_and_says_so(own_folder):
    with pytest.raises(zoo.ZooError, match="became NaN in epoch 1"):
        zoo.train("table", data="diabetes", learning_rate=1e30, epochs=3, export=False, verbose=0)


def test_what_is_said_before_the_first_epoch(capsys):
    zoo.train("perceptron_digits", epochs=1, export=False, pictures=False, verbose=2)
    said = capsys.readouterr().out
    for words in ("precision: float32 (", "steps_per_execution: ", "jit_compile: False (", " GiB, about ", "an epoch"):
        assert words in said, words


def test_mixed_precision_is_recorded_and_kept(tmp_path):
    result = zoo.train(
        "mlp_digits",
        folder=tmp_path / "run",
        epochs=3,
        precision="mixed_bfloat16",
        export=False,
        pictures=False,
        verbose=0,
    )
    assert json.loads((result.folder / "recipe.json").read_text())["execution"]["precision"] == "mixed_bfloat16"
    assert result.model.layers[-2].compute_dtype == "bfloat16"
    assert keras.config.dtype_policy().name == "float32"
    assert zoo.evaluate(result.folder)["test_loss"] == result.metrics["test_loss"]


def test_two_optimizers_are_both_found():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.1), "mse")
    model.second_optimizer = keras.optimizers.Adam(0.1)
    model.second_optimizer.build(model.trainable_variables)
    assert set(map(type, state.optimizers(model))) == {keras.optimizers.SGD, keras.optimizers.Adam}
    assert len(state.variables(model)) == 2 + 2 + len(model.second_optimizer.variables)


def test_regression_is_in_the_units_of_its_target(tmp_path):
    result = zoo.train("table", data="diabetes", folder=tmp_path / "run", epochs=30, export=False, verbose=0)
    assert 30 < result.metrics["test_mean_absolute_error"] < 60
    assert (result.folder / "predictions.png").is_file()


def test_bfloat16_is_chosen_for_heavy_networks_where_the_processor_has_it(tmp_path, monkeypatch):
    described = tmp_path / "cpuinfo"
    for flags, units in (("fpu avx512f", None), ("avx512_bf16", "AVX512-BF16"), ("avx512_bf16 amx_bf16", "AMX")):
        described.write_text(f"processor : 0\nflags : {flags}\n")
        assert execution.bfloat16_units(described) == units
    assert execution.bfloat16_units(tmp_path / "nowhere") is None
    monkeypatch.setattr(keras.distribution, "list_devices", lambda kind=None: [])
    light, heavy = zoo.build("lenet"), zoo.build("resnet20")
    monkeypatch.setattr(execution, "bfloat16_units", lambda: "AMX")
    assert execution.precision("auto", light)[0] == "float32"
    assert execution.precision("auto", heavy) == (
        "mixed_bfloat16",
        "the processor has AMX; --precision float32 is exact and slower",
    )
    assert execution.precision("float32", heavy) == ("float32", "as asked")
    monkeypatch.setattr(execution, "bfloat16_units", lambda: None)
    assert execution.precision("auto", heavy)[0] == "float32"


def test_a_network_that_turns_out_heavy_is_built_again_in_bfloat16(monkeypatch):
    monkeypatch.setattr(execution, "bfloat16_units", lambda: "AMX")
    monkeypatch.setattr(keras.distribution, "list_devices", lambda kind=None: [])
    weights = []
    for heavy in (1.0, 1e12):
        monkeypatch.setattr(execution, "HEAVY", heavy)
        _, _, built, chosen = preparation.prepare("perceptron_digits", {}, 3)
        assert built.model.dtype_policy.name == chosen["precision"][0]
        weights.append(built.model.get_weights())
    assert chosen["precision"][0] == "float32"
    assert all((a == b).all() for a, b in zip(*weights, strict=True))
