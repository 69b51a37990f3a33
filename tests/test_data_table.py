"""Tables: CSV files and scikit-learn's own."""

import numpy as np
import pytest

from zoo.data import table
from zoo.errors import ZooError

ROWS = [(i, i * 0.5 - 3, ("red", "green", "blue")[i % 3]) for i in range(30)]


def _csv(folder, rows=ROWS, header="size,weight,colour", separator=","):
    path = folder / "table.csv"
    lines = [header.replace(",", separator), *(separator.join(map(str, row)) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _changed(row, column, value):
    rows = [list(row) for row in ROWS]
    rows[row][column] = value
    return rows


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_text_is_a_class(own_folder, separator):
    data = table(_csv(own_folder, separator=separator), "colour", 4, seed=0)
    assert data.labels == ("blue", "green", "red") and "target" not in data.statistics
    assert [part.size for part in data.parts.values()] == [21, 3, 6]
    assert data.train.element_spec == (((None, 2), "float32"), ((None,), "int32"))
    for part in data.parts.values():
        x, y = part.arrays
        np.testing.assert_array_equal(x[:, 1], x[:, 0] * 0.5 - 3)
        assert [data.labels[k] for k in y] == [("red", "green", "blue")[int(i) % 3] for i in x[:, 0]]


def test_statistics_are_those_of_the_training_rows(own_folder):
    data = table(_csv(own_folder), "colour", 4, seed=0)
    means, variances = data.statistics["normalization"]
    x = data.train.arrays[0].astype(float)
    np.testing.assert_allclose(means, x.mean(axis=0))
    np.testing.assert_allclose(variances, x.var(axis=0))
    assert isinstance(means, list) and isinstance(means[0], float)


def test_numbers_with_a_point_are_quantities(own_folder):
    rows = [(i, i * 0.5) for i in range(30)]
    data = table(_csv(own_folder, rows, "size,weight"), "weight", 4, seed=0)
    x, y = data.train.arrays
    assert data.labels is None and y.dtype == np.float32 and y.shape == (21, 1)
    np.testing.assert_array_equal(y, x * 0.5)
    assert data.statistics["target"] == pytest.approx((y.mean(), y.std()))


def test_whole_numbers_are_classes_unless_they_look_like_quantities(own_folder):
    rows = [(i, (10, 9, 100)[i % 3], i * 7) for i in range(30)]
    path = _csv(own_folder, rows, "size,grade,price")
    assert table(path, "grade", 4).labels == ("9", "10", "100")
    with pytest.raises(ZooError, match="30 different whole numbers in 30 rows .*'price'.*task='regression'"):
        table(path, "price", 4)
    assert table(path, "price", 4, task="regression").labels is None
    data = table(path, "grade", 4, task="regression")
    assert data.labels is None and set(np.unique(data.train.arrays[1])) == {9, 10, 100}


@pytest.mark.parametrize(
    "row, column, value, message",
    [
        (4, 0, "", r"line 6: column 'size' is empty"),
        (4, 1, "nan", r"line 6: column 'weight' is 'nan'"),
        (28, 1, "inf", r"line 30: column 'weight' is 'inf'"),
        (28, 1, "1e60", r"line 30: column 'weight' is '1e60'"),
        (0, 0, "tall", r"line 2: column 'size' is 'tall'; every value must be a finite number"),
        (7, 2, "", r"line 9: the target 'colour' is empty"),
    ],
)
def test_values_that_are_no_numbers_are_named(own_folder, row, column, value, message):
    with pytest.raises(ZooError, match=message):
        table(_csv(own_folder, _changed(row, column, value)), "colour", 4)


def test_missing_targets_of_a_regression_are_named(own_folder):
    rows = [(i, "" if i == 3 else i * 0.5) for i in range(30)]
    with pytest.raises(ZooError, match="line 5: column 'weight' is empty"):
        table(_csv(own_folder, rows, "size,weight"), "weight", 4, task="regression")


def test_a_wrong_target_is_answered_with_close_ones(own_folder):
    with pytest.raises(ZooError, match="no column 'color' .*Did you mean 'colour'.*size, weight, colour"):
        table(_csv(own_folder), "color", 4)
    with pytest.raises(ZooError, match="no column None"):
        table(_csv(own_folder), None, 4)


@pytest.mark.parametrize(
    "content, message",
    [
        ("", "has no rows"),
        ("size,colour\n", "has no rows"),
        ("size\n1\n", "2 or more columns"),
        ("size,size\n1,2\n", "columns with different names"),
        ("size,colour\n1,red\n1,2,3\n", "line 3: 3 values for 2 columns"),
        ("size,colour\n1,red\n2,red\n3,red\n4,red\n", "all 4 training examples are of one class"),
        ("size,colour\n1,red\n2,blue\n", "too few to split"),
    ],
)
def test_files_that_are_no_tables_are_refused(own_folder, content, message):
    (own_folder / "t.csv").write_text(content)
    with pytest.raises(ZooError, match=message):
        table("t.csv", "colour", 4)


def test_a_file_that_is_not_there_or_not_text_is_refused(own_folder):
    with pytest.raises(ZooError, match="there is no file whine. Did you mean 'wine'"):
        table("whine", "colour", 4)
    (own_folder / "t.csv").write_bytes(b"size,colour\n\xff\xfe,red\n")
    with pytest.raises(ZooError, match="cannot be read as CSV in UTF-8"):
        table("t.csv", "colour", 4)


def test_excel_files_with_a_byte_order_mark_and_quotes_are_read(own_folder):
    path = own_folder / "t.csv"
    lines = ['"a;b";colour', *(f"{i};{'red' if i % 2 else 'blue'}" for i in range(20)), ""]
    path.write_text("\r\n".join(lines), encoding="utf-8-sig")
    assert table(path, "colour", 4).train.input_shape == (1,)


@pytest.mark.parametrize("name, size, features, classes", [("wine", 178, 13, 3), ("breast_cancer", 569, 30, 2)])
def test_the_tables_of_scikit_learn(name, size, features, classes):
    data = table(name, batch_size=16, seed=0)
    assert sum(part.size for part in data.parts.values()) == size
    assert data.train.input_shape == (features,) and len(data.labels) == classes


def test_diabetes_is_a_regression():
    data = table("diabetes", "target", 16)
    assert data.labels is None and data.statistics["target"][0] == pytest.approx(152, abs=10)
    with pytest.raises(ZooError, match="the target of 'diabetes' is 'target'"):
        table("diabetes", "bmi")
    with pytest.raises(ZooError, match="the task regression"):
        table("diabetes", task="classification")
    with pytest.raises(ZooError, match="task must be one of"):
        table("diabetes", task="regresion")
