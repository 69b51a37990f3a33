"""The registry: names, close matches, arguments, duplicates."""

import keras
import pytest

import zoo
from zoo import registry
from zoo.catalogue import ENTRIES


def test_a_misspelt_name_is_answered_with_close_matches():
    with pytest.raises(zoo.ZooError, match=r"no model named 'lenett'. Did you mean 'lenet' or 'lenet5'"):
        zoo.build("lenett")


def test_an_unknown_argument_is_answered_with_what_works():
    with pytest.raises(
        zoo.ArgumentError, match=r"no argument 'num_clases' .*=3.*Did you mean 'num_classes'.*It takes: "
    ):
        zoo.build("lenet", num_clases=3)
    with pytest.raises(TypeError):
        zoo.build("lenet", num_clases=3)


def test_an_impossible_value_is_answered_with_what_works():
    with pytest.raises(zoo.ZooError, match=r"'max', 'average'.*Received: pooling='maximum'"):
        zoo.build("lenet", pooling="maximum")


def test_list_models():
    assert zoo.list_models("lenet*") == ["lenet", "lenet5"]
    assert zoo.list_models(task="classification") == sorted(e.name for e in ENTRIES if e.task == "classification")
    with pytest.raises(zoo.ZooError, match="Did you mean 'classification'"):
        zoo.list_models(task="clasification")


def test_describe_names_paper_variants_and_recipes():
    known = zoo.describe("lenet5")
    assert "LeCun" in known["paper"] and known["parameters"] == 60_000
    assert known["variants"] == ["lenet"]
    assert {"lenet5_digits", "lenet5_mnist"} <= set(known["recipes"])
    assert "num_classes=10" in known["arguments"]


def test_a_duplicate_registration_raises(monkeypatch):
    monkeypatch.setattr(registry, "_entries", dict(registry._table()))
    monkeypatch.setattr(registry, "_functions", dict(registry._functions))
    mine = zoo.Entry(
        "mine", family="own", task="classification", paper="none", input="4 features", parameters=15, summary="s"
    )

    @zoo.register(mine)
    def mine_function(units=3):
        inputs = keras.Input((4,))
        return keras.Model(inputs, keras.layers.Dense(units)(inputs))

    assert zoo.build("mine").count_params() == 15
    assert zoo.build("mine").name == "mine"
    assert zoo.describe("mine")["arguments"] == "units=3"
    with pytest.raises(zoo.ZooError, match="registered already"):
        zoo.register(mine)(mine_function)


def test_a_function_without_an_entry_is_refused():
    with pytest.raises(zoo.ZooError, match="no entry in zoo/catalogue.py"):

        @zoo.register
        def nameless():
            return None


def test_an_entry_whose_preset_the_function_cannot_take_is_refused():
    entry = zoo.Entry(
        "odd", family="own", task="classification", paper="", input="", parameters=0, summary="", preset=dict(depth=3)
    )
    with pytest.raises(zoo.ZooError, match="sets 'depth'"):
        zoo.register(entry)(lambda width=3: None)


def test_names_are_written_once():
    names = [entry.name for entry in ENTRIES]
    assert len(names) == len(set(names))
