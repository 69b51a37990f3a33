"""The pictures of walks on surfaces, and the recipe that draws them."""

import math

import numpy as np
import pytest

import zoo
from recipes import optimizers_surface
from zoo import runs
from zoo.models.surface import FUNCTIONS
from zoo.pictures import surface as pictures
from zoo.pictures.walks import Walk, endpoints
from zoo.trainer import Diverged


def _train(folder, **hyper):
    return zoo.train("optimizers_surface", folder=folder, export=False, verbose=0, **hyper)


def test_the_recipe_draws_its_walk(tmp_path):
    done = _train(tmp_path / "run", function="valley", start=(-5, -2), optimizer="momentum", learning_rate=0.4,
                  momentum=0.5, epochs=20)  # fmt: skip
    assert done.metrics["test_loss"] == pytest.approx(0.1 * 0.062843**2 + 2 * 0.001202**2, rel=1e-3)
    assert [row["x1"] for row in runs.history(done.folder)][-1] == pytest.approx(-0.062843, abs=1e-5)
    drawn = optimizers_surface.pictures([({}, [done.folder])], tmp_path)
    assert [path.name for path in drawn] == ["contour.png", "heights.png", "race.gif", "endpoints.md"]
    assert drawn[-1].read_text().splitlines()[2].startswith("| momentum | 0.4 | 20 | -0.0628")


def test_a_study_over_functions_and_settings_draws_each_function_by_itself(tmp_path):
    rates = (("square", 0.1), ("square", 0.2), ("saddle", 0.1))
    settings = [dict(function=function, learning_rate=rate) for function, rate in rates]
    found = [(each, [_train(tmp_path / str(n), epochs=3, **each).folder]) for n, each in enumerate(settings)]
    drawn = optimizers_surface.pictures(found, tmp_path)
    assert {path.name for path in drawn} == {
        f"{part}-{function}.{kind}"
        for part, kind in (("contour", "png"), ("heights", "png"), ("race", "gif"), ("endpoints", "md"))
        for function in ("square", "saddle")
    }
    table = (tmp_path / "endpoints-square.md").read_text()
    assert "| adam, learning_rate 0.1 | 0.1 | 3 | 9.7" in table and "saddle" not in table


def test_a_walk_that_diverges_is_drawn_as_far_as_it_went(tmp_path):
    with pytest.raises(Diverged):
        _train(tmp_path / "run", optimizer="sgd", learning_rate=0.1, epochs=30)
    drawn = optimizers_surface.pictures([({}, [tmp_path / "run"])], tmp_path)
    assert all(path.stat().st_size for path in drawn)
    assert "nan" in drawn[-1].read_text()


@pytest.mark.parametrize("function", ["square", "cubic", "saddle", "rosenbrock"])
def test_pictures_of_walks_that_leave_the_picture(function, tmp_path):
    from PIL import Image

    count = len(FUNCTIONS[function].start)
    away = np.array(FUNCTIONS[function].start) * 10.0 ** np.arange(60)[:, None]
    broken = np.where(np.arange(60)[:, None] < 30, away, np.nan)
    still = np.tile(FUNCTIONS[function].start, (30, 1))
    walks = [Walk(name, 0.1, points) for name, points in (("a", away), ("b", broken), ("c", still))]
    figure = pictures.contour(function, walks)
    assert figure.axes[0].get_xlim() == FUNCTIONS[function].box[0]
    assert len(figure.axes) == 3 - count
    figure.savefig(tmp_path / "contour.png")
    pictures.heights(function, walks).savefig(tmp_path / "heights.png")
    with Image.open(pictures.race(function, walks, tmp_path / "race.gif")) as film:
        assert 30 < film.n_frames <= pictures.FRAMES
    assert (tmp_path / "race.gif").stat().st_size < 2e6


def test_the_film_shows_each_walk_in_its_own_colour_and_lasts_five_seconds(tmp_path):
    from PIL import Image

    paths = np.cumsum(np.random.default_rng(0).normal(0, 0.05, (14, 100, 2)), axis=1) + (0, 1)
    walks = [Walk(f"walk {number}", 0.1, points) for number, points in enumerate(paths)]
    times = []
    with Image.open(pictures.race("rosenbrock", walks, tmp_path / "race.gif")) as film:
        for frame in range(film.n_frames):
            film.seek(frame)
            times.append(film.info["duration"])
        seen = np.unique(np.array(film.convert("RGB")).reshape(-1, 3), axis=0).astype(int)
    assert 4 < sum(times[:-1]) / 1000 < 6
    for colour in pictures.COLOURS:
        wanted = [int(colour[index : index + 2], 16) for index in (1, 3, 5)]
        assert np.abs(seen - wanted).max(1).min() <= 4, colour


def test_end_points_are_sorted_and_those_that_diverged_stand_last():
    ends = {"far": [9.0, 9.0], "gone": [math.nan, math.inf], "near": [0.1, 0.0]}
    walks = [Walk(name, 0.1, np.array([[1.0, 1.0], end])) for name, end in ends.items()]
    rows = endpoints("bowl", walks).splitlines()[2:]
    assert [row.split(" | ")[0] for row in rows] == ["| near", "| far", "| gone"]
    assert rows[0] == "| near | 0.1 | 1 | 0.100000 | 0.000000 | 0.01 |"
