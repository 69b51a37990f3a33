"""What a Result shows of itself: HTML that stands alone, is bounded and safe, and a line of text."""

import base64
import io
import json
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import zoo
from zoo import runs
from zoo.recipe import Result

HOSTILE = ['<script>alert("x")</script>', "$x^$", '" onerror="alert(1)', "a & b", "Ünïcode"]


class Model:
    name = "net<b>"


class Page(HTMLParser):
    """The tags, texts and images of a page whose tags are all closed."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.texts, self.images = [], [], [], {}
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        known = dict(attrs)
        if tag == "img":
            assert set(known) == {"alt", "style", "src"}
            head, _, code = known["src"].partition(",")
            assert head == "data:image/png;base64"
            self.images[known["alt"]] = Image.open(io.BytesIO(base64.b64decode(code, validate=True)))
            self.images[known["alt"]].load()
            self.images[known["alt"]].info["style"] = known["style"]
        elif tag != "br":
            assert set(known) <= {"style"}
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


METRICS = {
    "val_accuracy": 0.9917,
    "val_loss": 0.02,
    "test_accuracy": 0.95,
    "epochs": 3,
    "seconds": 4.9,
    "parameters": 9,
}


def _run(folder, columns=("loss", "val_loss"), labels=("a", "b"), **metrics):
    """A finished run's folder without pictures."""
    record = {"recipe": "lenet_digits", "seed": 3, "labels": list(labels)}
    runs.create(folder, record, "")
    runs.write_history(folder, [{"epoch": e, **dict.fromkeys(columns, 1 / e)} for e in (1, 2, 3)])
    (folder / "metrics.json").write_text(json.dumps(METRICS))
    return Result(Model(), METRICS | metrics, folder)


def _noise(path, *shape):
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(np.random.default_rng(0).integers(0, 256, shape, "uint8")).save(path)


def test_a_trained_result_shows_metrics_curves_and_commands():
    result = zoo.train("mlp_digits", epochs=2, hidden=(4,), export=False, pictures=False, verbose=0)
    page = Page(result._repr_html_())
    assert list(page.images) == ["curves"] and not (result.folder / "curves.png").exists()
    assert {"mlp_digits, seed 0", "mlp", "accuracy", "validation", "test"} <= set(page.texts)
    assert f"{result.metrics['test_accuracy']:.4f}" in page.texts
    assert any(f"zoo evaluate {result.folder}\n" in text for text in page.texts)
    assert "zoo predict" not in result._repr_html_()  # nothing was exported that could answer
    said = repr(result)
    assert said.startswith("Result(mlp, test_accuracy 0.") and "2 epochs in" in said and "\n" not in said
    assert said.endswith(f"folder={str(result.folder)!r})")


def test_names_from_outside_are_escaped(own_folder):
    folder = own_folder / 'a run; rm -rf "<x>"'
    metrics = {f"val_iou/{name}": 0.5 for name in HOSTILE}
    result = _run(folder, [f"val_iou/{name}" for name in HOSTILE], HOSTILE, **metrics)
    (folder / "savedmodel").mkdir()
    (folder / "samples").mkdir()
    (folder / "samples" / "epoch-0003.txt").write_text("</pre><script>alert(2)</script>" * 100)
    text = result._repr_html_()
    page = Page(text)
    assert set(page.tags) == {"div", "p", "b", "br", "table", "tr", "th", "td", "img", "code", "pre"}
    assert "<script" not in text and "net<b>" in page.texts
    assert {f"iou/{name}" for name in HOSTILE} <= set(page.texts)
    assert any(f"5 classes: {', '.join(HOSTILE)}" == each for each in page.texts)
    assert any("zoo predict '" in each and each.endswith(" FILE") for each in page.texts)
    assert "curves" in page.images


def test_the_page_is_bounded_whatever_the_run_left(own_folder):
    metrics = {f"test_iou/{'very ' * 40}{i}": 0.5 for i in range(300)}
    result = _run(own_folder / "run", labels=["long " * 30] * 1000, **metrics)
    for name in ("curves", "samples", "confusion", "mistakes"):
        _noise(own_folder / "run" / f"{name}.png", 500, 1000, 3)
    _noise(own_folder / "run" / "samples" / "epoch-0001.png", 64, 64)
    _noise(own_folder / "run" / "samples" / "epoch-0010.png", 500, 500, 3)
    (own_folder / "run" / "samples" / "epoch-0010.txt").write_text("word " * 100_000)
    text = result._repr_html_()
    assert 200_000 < len(text.encode()) < 400_000
    page = Page(text)
    assert list(page.images) == ["curves", "samples, epoch 10", "mistakes"]
    assert all(image.width <= 900 and image.width > 100 for image in page.images.values())
    assert "and 262 more, in metrics.json" in page.texts
    assert len(repr(result)) < 2000 and ", …," in repr(result)


def test_small_samples_are_shown_pixel_by_pixel(own_folder):
    result = _run(own_folder / "run")
    _noise(own_folder / "run" / "samples" / "epoch-0002.png", 31, 47)
    shown = Page(result._repr_html_()).images["samples, epoch 2"]
    before = Image.open(own_folder / "run" / "samples" / "epoch-0002.png")
    assert shown.size == before.size and "width: 94px; image-rendering: pixelated" in shown.info["style"]
    near = np.asarray(shown.convert("L"), float) - np.asarray(before, float)
    assert np.abs(near).max() <= 8  # 256 greys in 128 colours


@pytest.mark.parametrize("left", [None, "recipe.json"])
def test_a_run_whose_folder_went_away_still_shows_its_metrics(left, own_folder):
    folder = Path("gone")
    if left:
        folder.mkdir()
        (folder / left).write_text(json.dumps({"recipe": "mine.py", "seed": 0, "labels": None}))
    page = Page(Result(Model(), METRICS, folder)._repr_html_())
    assert page.images == {} and {"0.9917", "0.9500", "gone"} <= set(page.texts)
    assert repr(Result(Model(), {}, folder)) == "Result(net<b>, not finished, folder='gone')"
