"""Time series from a CSV file: windows to forecast from, and sequences with one answer each."""

import numpy as np
import pytest

from zoo.data import series
from zoo.errors import ZooError

HOURS = [(f"2024-01-01 {k:03}", k, k % 7 * 0.5, 100 - k) for k in range(100)]
HEADER = "date,load,wind,price"


def _csv(folder, rows=HOURS, header=HEADER, separator=","):
    path = folder / "s.csv"
    lines = [header.replace(",", separator), *(separator.join(map(str, row)) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("steps, horizon", [(5, 1), (5, 3), (1, 1)])
def test_a_window_and_the_value_ahead_of_it(own_folder, steps, horizon):
    data = series(_csv(own_folder), "price", steps, 8, horizon=horizon, time="date")
    assert data.statistics["columns"] == ["load", "wind", "price"] and data.labels is None
    assert data.train.element_spec == (((None, steps, 3), "float32"), ((None, 1), "float32"))
    for part in data.parts.values():
        x, y = part.arrays
        assert (np.diff(x[:, :, 0], axis=1) == 1).all()
        np.testing.assert_array_equal(x[:, :, 2], 100 - x[:, :, 0])
        np.testing.assert_array_equal(y[:, 0], x[:, -1, 2] - horizon)
        raw, target = part.batch(3, 0)
        np.testing.assert_array_equal(target[:, 0], raw[:, -1, 2] - horizon)


def test_each_row_is_forecast_in_one_part_and_none_is_seen_too_early(own_folder):
    data = series(_csv(own_folder), "price", 5, 8, horizon=3, time="date", validation=0.1, test=0.2)
    forecast = {name: (100 - part.arrays[1][:, 0]).tolist() for name, part in data.parts.items()}
    assert forecast == {
        "train": list(range(7, 70)),
        "validation": list(range(70, 80)),
        "test": list(range(80, 100)),
    }
    assert data.train.arrays[0][:, :, 0].max() < 70
    train = np.array([row[1:] for row in HOURS[:70]], float)
    means, variances = data.statistics["normalization"]
    np.testing.assert_allclose(means, train.mean(0))
    np.testing.assert_allclose(variances, train.var(0))
    assert data.statistics["target"] == pytest.approx((train[:, 2].mean(), train[:, 2].std()))
    assert isinstance(means, list) and isinstance(means[0], float)
    assert list(series(_csv(own_folder), "price", 5, 8, time="date", validation=0, test=0).parts) == ["train"]


def test_windows_are_views_and_come_alike_from_tensorflow(own_folder):
    data = series(_csv(own_folder, separator=";"), "price", 5, 8, time="date", seed=1)
    assert data.train.arrays[0].base is not None and data.train.arrays[0].strides[0] == data.train.arrays[0].strides[1]
    for one, other in zip(next(iter(data.train.open(2, 1))), data.train.batch(2, 1), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.fixture
def trials(own_folder):
    """Thirty trials of 1 to 9 rows, in turns: which movement it is can be told from the sign of y."""
    lengths = [1 + k % 9 for k in range(30)]
    rows = [
        (k, step, (step + 1) * (1 if k % 3 else -1), ("down", "up", "up")[k % 3])
        for step in range(9)
        for k in range(30)
        if step < lengths[k]
    ]
    return _csv(own_folder, rows, "trial,step,y,movement"), lengths


def test_sequences_have_one_answer_each(trials):
    path, lengths = trials
    data = series(path, "movement", 4, 8, sequence="trial", seed=0)
    assert data.labels == ("down", "up") and data.statistics["columns"] == ["step", "y"]
    assert [part.size for part in data.parts.values()] == [21, 3, 6] and "target" not in data.statistics
    means, variances = data.statistics["normalization"]
    seen = []
    for name, part in data.parts.items():
        for x, y in zip(*part.arrays, strict=True):
            own = x[(x != np.array(means, "float32")).any(1)]
            last = int(own[-1, 0])
            assert len(own) == min(4, last + 1), "its last rows, behind rows of the means"
            np.testing.assert_array_equal(x[4 - len(own) :], own)
            np.testing.assert_array_equal(own[:, 0], np.arange(last + 1)[-4:])
            np.testing.assert_array_equal(np.abs(own[:, 1]), own[:, 0] + 1)
            assert (own[:, 1] > 0).all() == bool(y)
            seen += [own] if name == "train" else []
    rows = np.concatenate(seen).astype(float)
    np.testing.assert_allclose(means, rows.mean(0), rtol=1e-6)
    np.testing.assert_allclose(variances, rows.var(0), rtol=1e-6)


def test_the_answer_may_be_a_quantity(own_folder):
    rows = [(k, step, k % 3 / 2) for k in range(30) for step in range(3)]
    path = _csv(own_folder, rows, "trial,step,weight")
    data = series(path, "weight", 5, 8, sequence="trial")
    assert data.labels is None and data.train.element_spec[1] == ((None, 1), "float32")
    assert data.statistics["target"] == pytest.approx((data.train.arrays[1].mean(), data.train.arrays[1].std()))
    assert series(path, "weight", 5, 8, sequence="trial", task="classification").labels[1] == "0.5"


@pytest.mark.parametrize(
    "named, message",
    [
        (dict(target="prise"), "no column 'prise' to be the target. Did you mean 'price'.*Its columns: date, load"),
        (dict(target=None), "no column None to be the target"),
        (dict(time="dat"), "no column 'dat' to be the time. Did you mean 'date'"),
        (dict(sequence="trial"), "no column 'trial' to be the sequence"),
        (dict(sequence="price"), "different columns. Received: price, price, date"),
        (dict(time=None), "line 2: column 'date' is '2024-01-01 000', and has no number anywhere.*--time date"),
        (dict(steps=0), "steps must be a whole number >= 1"),
        (dict(horizon=0), "horizon must be a whole number >= 1"),
        (dict(steps=72), "70 of its 100 rows are for training, and windows of 72 rows .* need 73 or more"),
        (dict(test=1), "test must be a share"),
        (dict(test=0.5, validation=0.5), "0 of its 100 rows are for training"),
        (dict(task="classification"), "task must be None without sequence"),
        (dict(path="t.csv"), "there is no file t.csv. A series is a CSV file"),
    ],
)
def test_what_cannot_be_is_refused(own_folder, named, message):
    with pytest.raises(ZooError, match=message):
        series(**{"path": _csv(own_folder), "target": "price", "time": "date", **named})


def test_values_that_do_not_fit_are_named(own_folder, trials):
    rows = [list(row) for row in HOURS]
    rows[30][2] = ""
    with pytest.raises(ZooError, match="line 32: column 'wind' is empty; every value must be a finite number"):
        series(_csv(own_folder, rows), "price", time="date")
    rows = [(k, step, k + (k == 4 and step)) for step in range(2) for k in range(20)]
    with pytest.raises(ZooError, match="line 26: the target 'y' of the sequence '4' is '5', and in line 6 it is '4'"):
        series(_csv(own_folder, rows, "trial,x,y"), "y", sequence="trial")
    with pytest.raises(ZooError, match="the target is 1 in all training rows"):
        series(_csv(own_folder, [(k, 1) for k in range(50)], "x,y"), "y", 4)
    with pytest.raises(ZooError, match="no column left to learn from"):
        series(_csv(own_folder, [(k, 1) for k in range(50)], "trial,y"), "y", 4, sequence="trial")
