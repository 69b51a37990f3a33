"""Watching a generator: what stands in the logs, when a collapse is said, and what a resumed training knows of it."""

import math

import keras
import numpy as np
import pytest
from test_generation_scores import SHAPE, Scripted, images, pixels  # noqa: F401

import zoo
from callbacks import EarlyStopping
from zoo import checkpoint, runs, state
from zoo.errors import ZooError
from zoo.generation_measures import class_figures, diversity
from zoo.generation_scores import frechet_distance, precision_recall
from zoo.generation_watch import NAMES, GenerationScores

REAL = images(40)[0]


def good(n):
    return images(n, 5)[0]


def one_class(n):
    return (200 * np.eye(4)[np.zeros(n, int)] + np.arange(n)[:, None] % 40).astype("uint8").reshape(-1, *SHAPE)


def one_image_a_class(n):
    return (200 * np.eye(4)[np.arange(n) % 4]).astype("uint8").reshape(-1, *SHAPE)


def watched(judge, script, every=1, verbose=1, loss=lambda epoch: 1.0, interrupted=None, **options):
    """What stands in the logs of epochs in which a model makes what a script says; optionally resumed after one."""

    def begun(first):
        watch = GenerationScores(judge, REAL, every=every, **{"patience": 2, **options})
        epoch = [first]
        watch.set_model(Scripted(lambda n, seed: script[epoch[0]](n)))
        watch.set_params({"verbose": verbose})
        watch.on_train_begin()
        return watch, epoch

    watch, now = begun(0)
    rows = []
    for epoch in range(len(script)):
        now[0] = epoch
        watch.on_epoch_begin(epoch)
        logs = {"loss": loss(epoch)}
        watch.on_epoch_end(epoch, logs)
        rows.append(logs)
        if epoch == interrupted:
            checkpoint.save("kept", epoch, {"watch": state._state_of(watch)})
            watch, now = begun(epoch)
            watch.set_state(checkpoint.newest("kept")["watch"])
    watch.on_train_end()
    return rows, watch


def test_the_logs_hold_the_scores(pixels):  # noqa: F811
    (row,), watch = watched(pixels, [good])
    real, made = np.sort(REAL.reshape(40, 4), 0), good(40).reshape(40, 4)
    np.testing.assert_array_equal(np.sort(watch._images.reshape(40, 4), 0), real)
    real = watch._images.reshape(40, 4)
    figures = class_figures(real.argmax(1), made.argmax(1), 4)
    expected = [frechet_distance(real, made), *precision_recall(real, made), figures.produced, figures.divergence]
    expected.append(diversity(real, real.argmax(1), made, made.argmax(1)))
    assert row == pytest.approx({"loss": 1.0, **dict(zip(NAMES, expected, strict=True))})
    assert all(type(value) is float for value in row.values())


def test_as_many_images_are_compared_as_asked_or_as_there_are(pixels):  # noqa: F811
    assert len(GenerationScores(pixels, REAL, n=7)._images) == 7
    assert len(GenerationScores(pixels, REAL, n=99)._images) == 40
    one, same, other = (GenerationScores(pixels, REAL, n=20, seed=seed)._images for seed in (1, 1, 2))
    assert (one == same).all() and not (one == other).all()


def test_every_few_epochs_are_measured_and_repeated_from_the_first_on(pixels):  # noqa: F811
    script = [lambda n, k=k: images(n, 10 + k)[0] for k in range(7)]
    every, third = watched(pixels, script)[0], watched(pixels, script, every=3)[0]
    measured = [0, 0, 2, 2, 2, 5, 5]
    assert third == [every[k] for k in measured]
    assert len({row["frechet"] for row in every}) == 7


def test_an_epoch_whose_loss_is_not_finite_is_not_measured(pixels):  # noqa: F811
    def broken(n):
        raise AssertionError("measured")

    rows, _ = watched(pixels, [good, broken], loss=[1.0, math.nan].__getitem__)
    assert {**rows[1], "loss": 1.0} == rows[0]
    ((row,), watch) = watched(pixels, [broken], loss=lambda epoch: math.inf)
    assert list(row) == ["loss", *NAMES] and all(math.isnan(row[name]) for name in NAMES) and not watch.collapses


MISSING = "1 of 4 classes are produced, 100 % of the samples are 'a'"
ALIKE = "images of a class hardly differ, 0 % as much as real ones do"
SCRIPTS = [
    ([good] * 4, []),
    ([one_class, good, good], []),  # a generator that begins
    ([one_class, one_class, one_class, one_class], [(2, MISSING)]),
    ([good, one_image_a_class, one_image_a_class, one_class], [(3, ALIKE)]),
    ([one_class, one_class, good, one_class, good, one_class, one_class], [(2, MISSING), (7, MISSING)]),
    ([good, one_class, one_image_a_class, good], [(3, ALIKE)]),
]


@pytest.mark.parametrize("script, expected", SCRIPTS, ids=range(len(SCRIPTS)))
def test_a_collapse_is_said_once_in_a_line(pixels, capsys, script, expected):  # noqa: F811
    lines = [f"Mode collapse in epoch {epoch}: {what}" for epoch, what in expected]
    rows, watch = watched(pixels, script)
    assert capsys.readouterr().out.splitlines() == lines
    assert watch.collapses == [[epoch, line] for (epoch, _), line in zip(expected, lines, strict=True)]
    assert watched(pixels, script, verbose=0)[1].collapses == watch.collapses
    assert capsys.readouterr().out == ""
    for moment in range(0, len(script), 2):
        assert watched(pixels, script, interrupted=moment)[0] == rows
        assert capsys.readouterr().out.splitlines() == lines


def test_a_collapse_is_said_before_the_next_epoch_begins(pixels, capsys):  # noqa: F811
    watch = GenerationScores(pixels, REAL, patience=2)
    watch.set_model(Scripted(lambda n, seed: one_class(n)))
    watch.set_params({"verbose": 2})
    watch.on_train_begin()
    for epoch in range(2):
        watch.on_epoch_begin(epoch)
        watch.on_epoch_end(epoch)
        assert capsys.readouterr().out == ""  # the line of the epoch is still open
    watch.on_epoch_begin(2)
    assert MISSING in capsys.readouterr().out


def test_thresholds_are_where_they_are_set(pixels):  # noqa: F811
    def half(n):  # two of four classes: exp(-class_kl) is 0.5
        return good(4 * n)[np.isin(images(4 * n, 5)[1], (1, 2))][:n]

    for options, said in (({"coverage": 0.45}, 0), ({"coverage": 0.55}, 1), ({"coverage": 0, "least": 2}, 1)):
        assert len(watched(pixels, [half] * 3, **options)[1].collapses) == said
    for patience, epochs in ((1, [1]), (3, [3]), (4, [])):
        found = watched(pixels, [one_class] * 3, patience=patience)[1].collapses
        assert [epoch for epoch, _ in found] == epochs
    line = watched(pixels, [half] * 2, coverage=0.6)[1].collapses[0][1]
    assert "2 of 4 classes are produced, 5" in line


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"n": 3}, "n must be an integer >= 4"),
        ({"every": 0}, "every must be an integer >= 1"),
        ({"patience": 1.5}, "patience must be an integer >= 1"),
        ({"seed": -1}, "seed must be an integer"),
        ({"coverage": 1.5}, "coverage must be a number >= 0 and <= 1"),
        ({"least": "much"}, "least must be a number >= 0. Received"),
        ({"images": REAL[:3]}, "n must be an integer >= 4. Received: n=3"),
        ({"images": REAL[..., 0]}, r"takes images \(n, 2, 2, 1\)"),
        ({"judge": "digit"}, "no judge named 'digit'"),
    ],
)
def test_what_cannot_be_watched_is_refused(pixels, arguments, message):  # noqa: F811
    with pytest.raises(ZooError, match=message):
        GenerationScores(**{"judge": pixels, "images": REAL, **arguments})


def test_a_model_that_makes_no_images_is_refused_when_training_begins(pixels):  # noqa: F811
    model = keras.Sequential([keras.Input(SHAPE), keras.layers.Flatten(), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(ZooError, match="models that make images from noise"):
        model.fit(REAL, np.zeros((40, 1)), verbose=0, callbacks=[GenerationScores(pixels, REAL)])


def test_early_stopping_gives_the_best_of_both_players_back(pixels, monkeypatch):  # noqa: F811
    keras.utils.set_random_seed(0)
    model = zoo.build("gan", image_shape=SHAPE, latent=2, hidden=(3,), units=(2,), ema=0.5)
    model.compile("adam", run_eagerly=True)
    script = [one_class, good, one_image_a_class, one_class]
    kept = []
    monkeypatch.setattr(model, "sample", lambda n, seed: script[len(kept)](n))
    keep = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: kept.append(model.get_weights()))
    stop = EarlyStopping("frechet", mode="min", patience=2)
    history = model.fit(
        REAL, batch_size=20, epochs=9, verbose=0, callbacks=[GenerationScores(pixels, REAL), keep, stop]
    )
    assert len(history.epoch) == 4 and history.history["best_step"] == [2, 4, 4, 4]
    found = model.get_weights()
    own = [model.generator, model.learner, model.discriminator]
    assert len(found) >= sum(len(each.weights) for each in own)
    assert all((a == b).all() for a, b in zip(found, kept[1], strict=True))
    for index, each in enumerate(own):  # of each network there was something to give back
        assert any(
            v is w and (kept[3][k] != found[k]).any() for w in each.weights for k, v in enumerate(model.weights)
        ), index


RECIPE = '''
import keras

import zoo
from zoo.data import images
from zoo.generation_measures import Scores
from zoo.generation_watch import GenerationScores


def recipe(epochs=2):
    """A tiny network."""
    data = images("digits", 512)
    model = zoo.build("gan", image_shape=(8, 8, 1), latent=4, hidden=(16,), units=(8,))
    model.compile("adam", run_eagerly=True)
    watch = GenerationScores("digits", data.validation.arrays[0], n=100)
    return zoo.Recipe(model, data, epochs, [watch], ("frechet", "min"), measures=(Scores(watch.judge),))
'''


def test_a_run_keeps_what_was_watched_and_measured(tmp_path, capsys):
    (tmp_path / "small.py").write_text(RECIPE)
    folder = tmp_path / "run"
    result = zoo.train(tmp_path / "small.py", folder=folder, export=False, pictures=False, verbose=0)
    rows = runs.history(folder)
    assert len(rows) == 2 and all(set(NAMES) <= set(row) for row in rows)
    (kept,) = [held for name, held in checkpoint.newest(folder / "checkpoints")["state"]["holders"] if "Scores" in name]
    assert kept["_values"] == {name: rows[1][name] for name in NAMES}
    names = {"frechet", "frechet_floor", "kernel", "precision", "recall", "classes", "class_kl", "memorisation"}
    again = zoo.evaluate(folder)
    for part in ("val", "test"):
        assert {f"{part}_{name}" for name in names} <= set(result.metrics)
        assert again[f"{part}_frechet"] == pytest.approx(result.metrics[f"{part}_frechet"], rel=1e-4)
    assert capsys.readouterr().out == ""
    zoo.evaluate(folder, verbose=1)
    assert "features of lenet trained on digits" in capsys.readouterr().out
