"""The texts that training leaves: what stands in them, when there are none, and that training does not notice."""

import random

import keras
import numpy as np
import pytest

import zoo
from zoo import ZooError, trainer
from zoo.recipe import Recipe
from zoo.samples import written
from zoo.written_samples import BEGINNING, WrittenSamples, beginning

TEXT = "to be, or not to be: that is the question.\n" * 12


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    path = tmp_path_factory.mktemp("texts") / "hamlet.txt"
    path.write_text(TEXT)
    return zoo.data.text(path, length=8, batch_size=4, order="consecutive", validation=0.15, test=0.15, seed=0)


def fresh(data, carry=4):
    keras.utils.set_random_seed(0)
    model = zoo.build("gru", vocabulary=data.statistics["vocabulary"], units=6, carry=carry)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01), loss)
    return model


def trained(data, callbacks, epochs=2, verbose=0):
    model, train = fresh(data), data.train
    model.fit(
        train.open(), epochs=epochs, steps_per_epoch=train.steps, callbacks=callbacks, verbose=verbose, shuffle=False
    )
    return model


def ended(callback, model, epoch=1, logs=None, epochs=5):
    callback.set_model(model)
    callback.set_params({"epochs": epochs, "verbose": 0})
    callback.on_train_begin()
    callback.on_epoch_end(epoch - 1, logs or {})


def test_each_epoch_has_a_text_after_the_held_out_beginning(data, tmp_path, capsys):
    model = trained(data, [WrittenSamples(tmp_path / "new", length=30, data=data)])
    assert [(epoch, path.name) for epoch, path in written(tmp_path / "new", "txt")] == [
        (1, "epoch-0001.txt"),
        (2, "epoch-0002.txt"),
    ]
    prompt = "".join(map(chr, data.validation.text_symbols[:BEGINNING]))
    assert len(prompt) == 40 and prompt in TEXT
    texts = [zoo.write(model, prompt, length=30, temperature=temperature) for temperature in (1.0, 0.5)]
    expected = f"--- temperature 1.0\n{prompt}{texts[0]}\n\n--- temperature 0.5\n{prompt}{texts[1]}\n"
    assert (tmp_path / "new" / "epoch-0002.txt").read_text(encoding="utf-8") == expected
    assert (tmp_path / "new" / "epoch-0001.txt").read_text(encoding="utf-8") != expected
    assert capsys.readouterr() == ("", "")


def test_training_does_not_notice(data, tmp_path):
    left = []
    for callbacks in ([], [WrittenSamples(tmp_path, ["to é", ""], 20)]):
        model = trained(data, callbacks)
        left.append([np.array(variable) for variable in (*model.variables, *model.optimizer.variables)])
        left[-1] += [random.random(), np.random.random()]
    for without, beside in zip(*left, strict=True):
        np.testing.assert_array_equal(without, beside)


def test_the_first_text_is_shown_unless_fit_is_silent(data, tmp_path, capsys):
    callback, model = WrittenSamples(tmp_path, ["to", "be"], length=9), fresh(data)
    ended(callback, model)
    assert capsys.readouterr().out == ""
    callback.set_params({"epochs": 5, "verbose": 2})
    callback.on_epoch_end(1, {})
    said = capsys.readouterr().out
    assert said == f"\n--- temperature 1.0\nto{zoo.write(model, 'to', length=9)}\n\n"
    assert (tmp_path / "epoch-0002.txt").read_text(encoding="utf-8").count("--- temperature") == 4


def test_when_there_is_no_text(data, tmp_path):
    callback, model = WrittenSamples(tmp_path / "samples", length=3), fresh(data)
    ended(callback, model, logs={"loss": float("nan")})
    ended(callback, model, epoch=2, epochs=1000)
    assert written(tmp_path / "samples", "txt") == []
    model.stop_training = True
    ended(callback, model, epoch=3, epochs=1000, logs={"loss": 1.0})
    assert [epoch for epoch, _ in written(tmp_path / "samples", "txt")] == [3]


def test_where_a_text_begins(data):
    symbols = fresh(data).symbols
    assert beginning(symbols, None) == beginning(symbols, zoo.data.images("digits")) == ""
    only_test = zoo.Data(data.train, test=data.test)
    assert beginning(symbols, only_test) == "".join(map(chr, data.test.text_symbols[:BEGINNING]))
    words = zoo.symbols.symbols(("to", " "))
    part = type("Part", (), {"text_symbols": np.array([2, 3, 1], "int32")})
    assert beginning(words, zoo.Data(None, validation=part)) == "to \ufffd"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (dict(prompts=[]), "prompts must be a list of strings, or None"),
        (dict(prompts="to"), "prompts must be"),
        (dict(prompts=[3]), "prompts must be"),
        (dict(length=0), "length must be an integer from 1"),
    ],
)
def test_bad_arguments_are_refused(tmp_path, arguments, words):
    with pytest.raises(ZooError, match=words):
        WrittenSamples(tmp_path, **arguments)


def test_other_models_are_refused_when_training_begins(tmp_path):
    with pytest.raises(ZooError, match="of models of language. Received one for classification"):
        ended(WrittenSamples(tmp_path), zoo.build("perceptron"))


def test_every_run_of_a_language_leaves_texts(data, tmp_path, monkeypatch):
    built = Recipe(fresh(data), data, 1)
    (found,) = [each for each in trainer._always(tmp_path, built, print) if isinstance(each, WrittenSamples)]
    assert found.folder == tmp_path / "samples" and found.data is data
    assert trainer._sample(built.model, data).shape[0] == 1
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    assert not any(isinstance(each, WrittenSamples) for each in trainer._always(tmp_path, built, print))
