"""Pictures of gradients through time and of where learning stops: what they show, and of whom there is one."""

import keras
import numpy as np
import pytest

import zoo
from recipes import adding as recipe
from zoo import runs
from zoo.data.long_range import CONSTANT, adding
from zoo.pictures import long_range, through_time
from zoo.through_time import gradient_norms, together, typical


@pytest.fixture(autouse=True)
def fresh():
    keras.utils.set_random_seed(0)


def lines(axis):
    return {line.get_label(): np.asarray(line.get_ydata()) for line in axis.get_lines()}


def test_lines_begin_at_one_and_what_is_zero_is_left_out():
    panes = [("a", {"one": np.array([4.0, 2.0, 0.0])}), ("b", {"two": np.array([1e-5, 1e-9, 1e-13])})]
    figure = through_time.distances(panes, "title")
    first, second = figure.axes
    assert [axis.get_title() for axis in figure.axes] == ["a", "b"]
    np.testing.assert_allclose(lines(first)["one"], [1, 0.5, np.nan])
    np.testing.assert_allclose(lines(second)["two"], [1, 1e-4, 1e-8])
    assert first.get_ylim() == second.get_ylim() and first.get_ylim()[0] < 1e-8 and first.get_yscale() == "log"


def test_a_models_picture_has_a_line_for_each_state():
    model = zoo.build("lstm", vocabulary="ab", units=3, layers=2)
    raw = np.random.default_rng(0).integers(97, 99, (20, 5)).astype("int32")
    (axis,) = through_time.of_model(model, raw, raw - 95).axes
    found = gradient_norms(model, raw, raw - 95)
    drawn = lines(axis)
    assert list(drawn) == ["lstm1: h", "lstm1: c", "lstm2: h", "lstm2: c"]
    for shown, norms in zip(drawn.values(), found.values(), strict=True):
        np.testing.assert_allclose(shown[~np.isnan(shown)], typical(norms)[typical(norms) > 0])
    assert np.isnan(drawn["lstm2: c"][0]), "the last cell is left through its h alone"
    colours = [line.get_color() for line in axis.get_lines()]
    assert colours[0] == colours[1] != colours[2] == colours[3] and len(axis.collections) == 4


def test_a_run_has_its_picture_where_there_is_a_distance_in_time(tmp_path):
    data = adding(8, length=6, examples=100, seed=0)

    def built(**options):
        return zoo.build("gru", input_shape=(6, 2), num_classes=1, units=3, **options)

    (path,) = through_time.draw(tmp_path, built(), data)
    assert path == tmp_path / "through_time.png" and path.stat().st_size > 5000
    assert through_time.draw(tmp_path, built(bidirectional=True), data) == []
    assert through_time.draw(tmp_path, zoo.build("mlp", input_shape=(4,), hidden=(2,)), data) == []
    assert through_time.draw(tmp_path, built(), zoo.Data(data.train)) == []


def test_the_page_says_what_was_trained_and_how_well(monkeypatch):
    monkeypatch.setattr(through_time, "CELLS", through_time.CELLS[:1])
    figure = through_time.page(length=4, steps=2)
    before, after = figure.axes
    assert before.get_title() == "before training"
    assert after.get_title() == "after 2 steps on the adding problem, length 4"
    (untrained,), (trained,) = lines(before).values(), lines(after).values()
    assert len(untrained) == len(trained) == 4 and (untrained != trained).any()
    (label,) = lines(after)
    assert label.startswith("simple_rnn: error ") and 0 < float(label.split()[-1]) < 10


def test_the_errors_of_a_study_stand_at_their_lengths():
    found = {"lstm": [(10, [0.001, 0.004]), (100, [0.16, 0.16])], "gru": [(10, [0.001]), (100, [0.001])]}
    (axis,) = long_range.lengths(found, CONSTANT, 0.001).axes
    drawn = lines(axis)
    np.testing.assert_allclose(drawn["lstm (n=2)"], [0.002, 0.16], rtol=1e-6)
    np.testing.assert_allclose(drawn["gru (n=1)"], [0.001, 0.001], rtol=1e-6)
    assert drawn["without memory: 0.167"][0] == CONSTANT and drawn["enough: 0.001"][0] == 0.001
    assert [label.get_text() for label in axis.get_xticklabels()] == ["10", "100"]


def test_pictures_of_a_run_and_of_a_study(tmp_path):
    small = dict(length=4, units=3, examples=100, batch_size=50, epochs=1)
    result = zoo.train("adding", folder=tmp_path / "run", export=False, verbose=0, cell="simple_rnn", **small)
    assert (result.folder / "gates.png").is_file() and not (result.folder / "lengths.png").exists()
    untrained, trained = recipe._norms(result.folder)
    x, y = adding(50, length=4, examples=100, seed=0).test.arrays
    np.testing.assert_allclose(trained, typical(together(gradient_norms(result.model, x, y))), rtol=1e-5)
    assert len(untrained) == 4 and (untrained != trained).any()

    diverged = tmp_path / "diverged"
    diverged.mkdir()
    for name in ("recipe.json", "recipe.py"):
        (diverged / name).write_bytes((result.folder / name).read_bytes())
    runs.write_history(diverged, [{"epoch": 1, "loss": float("nan"), "val_loss": float("nan")}])
    settings = [{"cell": "simple_rnn", "length": 4}, {"cell": "simple_rnn", "length": 8}]
    (tmp_path / "study").mkdir()
    drawn = recipe.pictures([(settings[0], [result.folder, diverged]), (settings[1], [diverged])], tmp_path / "study")
    assert [path.name for path in drawn] == ["gates.png", "lengths.png"]
    assert all(path.stat().st_size > 5000 for path in drawn)


def test_unknown_cell():
    with pytest.raises(zoo.ZooError, match="Did you mean 'gru'"):
        recipe.recipe(cell="grru")
