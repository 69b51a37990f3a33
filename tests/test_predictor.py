"""Predictions without TensorFlow: the same answers as the model, for files, arrays and tables."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

import zoo
from zoo._tables import read_features


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    return zoo.train(
        "mlp_digits", folder=tmp_path_factory.mktemp("predict") / "run", epochs=5, pictures=False, verbose=0
    )


@pytest.fixture(scope="module")
def rates(tmp_path_factory):
    folder = tmp_path_factory.mktemp("table") / "run"
    return zoo.train("table", data="diabetes", folder=folder, epochs=3, pictures=False, verbose=0)


def images(count):
    return np.random.default_rng(0).integers(0, 256, (count, 8, 8, 1), dtype=np.uint8)


@pytest.mark.parametrize("count", [1, 2, 7, 64, 130])
def test_any_batch_size_gives_the_model_s_answers(digits, count):
    predictor = zoo.Predictor(digits.folder)
    expected = np.asarray(zoo.load(digits.folder)(images(count)), "float64")
    expected = np.exp(expected) / np.exp(expected).sum(1, keepdims=True)
    np.testing.assert_allclose(predictor.outputs(images(count)), expected, atol=1e-5)
    answers = predictor(images(count))
    assert [answer.label for answer in answers] == [str(k) for k in expected.argmax(1)]
    np.testing.assert_allclose([answer.probability for answer in answers], expected.max(1), atol=1e-5)


def test_one_image_needs_no_batch_axis(digits):
    predictor = zoo.Predictor(digits.folder)
    assert predictor(images(1)[0]) == predictor(images(1))


def test_image_files_are_read_and_resized(digits, tmp_path):
    Image.fromarray(images(1)[0, :, :, 0]).save(tmp_path / "raw.png")
    Image.new("RGB", (33, 21), (255, 0, 0)).save(tmp_path / "large.jpg")
    answers = zoo.predict(digits.folder, [tmp_path / "raw.png", tmp_path / "large.jpg"])
    (expected,) = zoo.Predictor(digits.folder)(images(1))
    assert (answers[0]["label"], answers[0]["probability"]) == expected
    assert answers[1]["file"] == tmp_path / "large.jpg" or str(answers[1]["file"]).endswith("large.jpg")


def test_prediction_imports_neither_tensorflow_nor_keras(digits, tmp_path):
    Image.fromarray(images(1)[0, :, :, 0]).save(tmp_path / "raw.png")
    code = (
        "import sys; from zoo.cli import main; status = main(sys.argv[1:])\n"
        "heavy = {'tensorflow', 'keras'} & set(sys.modules)\n"
        "sys.exit(f'{status} {heavy}' if status or heavy else 0)"
    )
    command = [sys.executable, "-c", code, "predict", str(digits.folder), str(tmp_path / "raw.png")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "raw.png" in done.stdout


def test_columns_of_a_table_are_found_by_name(rates, tmp_path):
    from sklearn.datasets import load_diabetes

    found = load_diabetes()
    text = [",".join(["target", *found.feature_names[::-1]])]
    text += [",".join(["0", *map(repr, map(float, row[::-1]))]) for row in found.data[:4]]
    (tmp_path / "rows.csv").write_text("\n".join(text))
    values = [answer["value"] for answer in zoo.predict(rates.folder, [tmp_path / "rows.csv"])]
    expected = np.asarray(zoo.load(rates.folder)(found.data[:4].astype("float32")))[:, 0]
    np.testing.assert_allclose(values, expected, rtol=1e-4)


@pytest.mark.parametrize(
    "inputs, words",
    [
        (np.zeros((2, 9, 9, 1), "uint8"), r"of shape \(n, 8, 8, 1\)"),
        (np.full((1, 8, 8, 1), 0.5), "raw pixels"),
        (np.full((1, 8, 8, 1), 300), "raw pixels"),
        (np.full((1, 8, 8, 1), -0.25), "raw pixels"),
        (np.full((1, 8, 8, 1), np.nan), "raw pixels"),
        (np.full((1, 8, 8, 1), "7"), "must be numbers"),
        (np.zeros((0, 8, 8, 1), "uint8"), "of shape"),
    ],
)
def test_inputs_that_the_model_cannot_take(digits, inputs, words):
    with pytest.raises(zoo.ZooError, match=words):
        zoo.Predictor(digits.folder)(inputs)


def test_pixels_of_any_number_type_are_the_same_pixels(digits):
    predictor = zoo.Predictor(digits.folder)
    for dtype in ("int64", "float32", "float64"):
        assert predictor(images(3).astype(dtype)) == predictor(images(3))


def test_threads_may_share_a_predictor(digits):
    predictor = zoo.Predictor(digits.folder)
    batches = [images(64)[first : first + 3] for first in range(0, 60, 3)] * 20
    expected = [predictor(batch) for batch in batches]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(predictor, batches)) == expected


def test_a_file_alone_is_enough(digits, tmp_path):
    (tmp_path / "other.tflite").write_bytes((digits.folder / "model.tflite").read_bytes())
    assert zoo.Predictor(tmp_path / "other.tflite")(images(2)) == zoo.Predictor(digits.folder)(images(2))


@pytest.mark.parametrize(
    ("text", "names", "numbers"),
    [
        ("1,2\n3,4\n", (), [1, 2]),
        ("a,b\n1,2\n\n3,4\n", (), [2, 4]),
        ("\ufeffb, t,a\n2,0,1\n4,0,3\n", ("a", "b"), [2, 3]),
    ],
)
def test_features_of_a_csv_file(tmp_path, text, names, numbers):
    (tmp_path / "rows.csv").write_text(text, encoding="utf-8")
    lines, found = read_features(tmp_path / "rows.csv", 2, names)
    np.testing.assert_array_equal(found, np.array([[1, 2], [3, 4]], "float32"))
    assert lines == numbers


@pytest.mark.parametrize(
    ("text", "names", "message"),
    [
        ("", (), "has no rows"),
        ("a,b\n", (), "has no rows"),
        ("1,2,3\n", (), "takes 2 features. Received: 3 columns"),
        ("1,2,3\n", ("a", "b"), "A header would let them be found among others: a, b"),
        ("a,c\n1,2\n", ("a", "b"), "no column 'b'"),
        ("widht,b\n1,2\n", ("width", "b"), "Did you mean 'widht'"),
        ("a,b\n1,2\n3,x\n", (), "line 3, column b: expected a finite number. Received: 'x'"),
        ("1,2\n3\n", (), "line 2, column 2: .*Received: ''"),
        ("1,2\nnan,2\n", (), "line 2, column 1"),
    ],
)
def test_csv_files_that_cannot_be_read(tmp_path, text, names, message):
    (tmp_path / "rows.csv").write_text(text)
    with pytest.raises(zoo.ZooError, match=message):
        read_features(tmp_path / "rows.csv", 2, names)


def test_files_that_cannot_be_read(digits, rates, tmp_path):
    (tmp_path / "text.png").write_text("not an image")
    (tmp_path / "hole.csv").write_text("a,b\n1,x\n")
    (tmp_path / "model.tflite").write_bytes(b"nonsense" * 100)
    for run, file, words in (
        (digits.folder, "absent.png", "no image file"),
        (digits.folder, "text.png", "text.png"),
        (rates.folder, "hole.csv", "no column 'age'"),
        (rates.folder, "text.png", "text.png"),
        (tmp_path / "model.tflite", "text.png", "damaged|no LiteRT"),
        (tmp_path, "text.png", "holds no model.tflite|damaged"),
    ):
        with pytest.raises(zoo.ZooError, match=words):
            zoo.predict(run, [tmp_path / file])
