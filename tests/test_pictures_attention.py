"""Where a decoder looked, and what it wrote wrong: what is drawn of a run, and from its folder again."""

import keras
import numpy as np
import pytest

import zoo
from zoo.data import text_pairs
from zoo.pictures import attention


@pytest.fixture(scope="module")
def data():
    return text_pairs("numbers", examples=20, seed=0)


def _model(data, **arguments):
    keras.utils.set_random_seed(0)
    return zoo.build("seq2seq", **data.statistics, units=4, embedding=3, **arguments)


def test_a_row_for_each_character_written_and_a_column_for_each_read():
    weights = np.eye(3, 5)
    figure = attention.alignments([("a b$c", "xyz", weights), ("ab", "", np.zeros((0, 2)))])
    first, second, bar = figure.axes
    np.testing.assert_array_equal(first.images[0].get_array(), weights)
    assert [label.get_text() for label in first.get_xticklabels()] == ["a", "␣", "b", "$", "c"]
    assert [label.get_text() for label in first.get_yticklabels()] == ["x", "y", "z"]
    assert not second.images and second.get_title() == "nothing for\nab"
    assert bar.get_ylabel() == "weight" and first.images[0].get_clim() == (0, 1)


def test_wrong_answers_are_listed():
    figure = attention.mistakes(["one", "two", "three"], ["1", "2", "3"], ["1", "22", ""])
    (axis,) = figure.axes
    assert axis.get_title() == "2 of 2 wrong answers to 3 texts"
    assert [line.split() for line in axis.texts[0].get_text().split("\n")] == [
        ["read", "written", "right"],
        ["two", "22", "2"],
        ["three", "3"],
    ]
    (axis,) = attention.mistakes(["one"], ["1"], ["1"]).axes
    assert axis.get_title() == "no wrong answer to 1 texts" and not axis.texts


def test_a_run_has_both_and_without_attention_one(data, tmp_path):
    drawn = attention.draw(tmp_path, _model(data), data)
    assert [path.name for path in drawn] == ["attention.png", "mistakes.png"] and all(path.is_file() for path in drawn)
    drawn = attention.draw(tmp_path, _model(data, attention=False), data)
    assert [path.name for path in drawn] == ["mistakes.png"]
