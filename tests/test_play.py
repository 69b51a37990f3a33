"""`zoo play`: what is told of the episodes, their film, and what is refused."""

import json
import statistics
import sys
import types

import keras
import numpy as np
import pytest
from PIL import Image

import zoo
from zoo import cli, showing
from zoo.errors import ZooError
from zoo.pictures import episode_film
from zoo.playing import Episode

LAKE = "FrozenLake-v1?is_slippery=false"
# Down, down, right, right, down, right: past the holes of the 4 x 4 lake.
PATH = {0: 1, 4: 1, 8: 2, 9: 2, 10: 1, 14: 2}


def run(folder, env, choices, states, actions):
    """A finished run of a table that chooses the actions given, and else the first."""
    model = zoo.build("q_table", states=states, actions=actions)
    table = np.zeros((states, actions), "float32")
    for state, action in choices.items():
        table[state, action] = 1.0
    model.network.set_weights([table])
    model.compile("sgd")
    zoo.export(model, folder / "model.keras", format="keras")
    hyper = {"epochs": 1} if env is None else {"epochs": 1, "env": env}
    (folder / "recipe.json").write_text(json.dumps({"recipe": "mine", "hyper": hyper, "seed": 0, "model": "q_table"}))
    return folder


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    return run(tmp_path_factory.mktemp("lake"), LAKE, PATH, 16, 4)


@pytest.fixture(scope="module")
def corridor(tmp_path_factory):
    return run(tmp_path_factory.mktemp("corridor"), "zoo/Corridor-v0", dict.fromkeys(range(5), 1), 6, 2)


def test_episodes_are_told_in_a_line_each(lake, capsys):
    assert cli.main(["play", str(lake), "--episodes", "2"]) == 0
    line = "return 1, 6 steps, terminated"
    said = capsys.readouterr().out.splitlines()
    assert said == [f"episode 1: {line}", f"episode 2: {line}", "mean return 1 ± 0, mean length 6"]
    (one,) = showing.play(lake, episodes=1, seed=7)
    assert (one.seed, one.total, one.length, one.terminated, one.frames) == (7, 1.0, 6, True, [])
    assert capsys.readouterr().out.splitlines()[-1] == "mean return 1, mean length 6"


def test_the_mean_and_its_deviation_are_those_of_the_returns(lake, capsys):
    slippery = showing.play(lake, episodes=4, env="FrozenLake-v1?max_episode_steps=5", seed=3)
    *lines, mean = capsys.readouterr().out.splitlines()
    assert [episode.seed for episode in slippery] == [3, 4, 5, 6]
    for line, episode in zip(lines, slippery, strict=True):
        assert f"return {episode.total:g}, {episode.length} steps, " in line
        assert line.endswith("terminated" if episode.terminated else "time limit")
    assert {episode.terminated for episode in slippery} == {True, False}
    totals = [episode.total for episode in slippery]
    assert mean.startswith(f"mean return {statistics.fmean(totals):.4g} ± {statistics.stdev(totals):.4g}, ")
    again = showing.play(lake, episodes=2, env="FrozenLake-v1?max_episode_steps=5", seed=4, verbose=0)
    assert [episode.actions for episode in again] == [episode.actions for episode in slippery[1:3]]
    assert capsys.readouterr().out == ""


def frames(path):
    """The images of a film, and how long each stays, in milliseconds."""
    images, times = [], []
    with Image.open(path) as film:
        for index in range(film.n_frames):
            film.seek(index)
            images.append(np.asarray(film.convert("RGB")).astype(int))
            times.append(film.info["duration"])
    return images, times


def test_the_film_shows_every_step(corridor, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "pygame", None)  # the corridor draws itself
    path = tmp_path / "new" / "film.gif"
    assert cli.main(["play", str(corridor), "--episodes", "2", "--record", str(path)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == str(path)
    images, times = frames(path)
    # 6 frames of 192 x 32 pixels, twice as large; the environment says 4 steps a second.
    assert images[0].shape == (64 + episode_film.STRIP, 384, 3)
    assert times == [250, 250, 250, 250, 250, 1750] * 2
    blue = [np.abs(image[32] - (31, 119, 180)).max(-1).argmin() // 64 for image in images]
    assert blue[:5] == blue[6:11] == [0, 1, 2, 3, 4]
    strips = [image[64:] for image in images]
    assert all((strip < 60).any() for strip in strips)
    assert all((one != other).any() for one, other in zip(strips, strips[1:], strict=False))
    assert [file.name for file in path.parent.iterdir()] == ["film.gif"]


def test_speed_is_told_and_another_film_is_not_replaced_unasked(corridor, tmp_path):
    path = tmp_path / "film.gif"
    showing.play(corridor, episodes=1, record=path, fps=10, verbose=0)
    assert frames(path)[1] == [100] * 5 + [1600]
    before = path.read_bytes()
    with pytest.raises(ZooError, match="is there already.*overwrite=True"):
        showing.play(corridor, episodes=1, record=path, verbose=0)
    assert path.read_bytes() == before
    showing.play(corridor, episodes=1, record=path, fps=20, overwrite=True, verbose=0)
    assert frames(path)[1] == [50] * 5 + [1550]


def episode(steps, size=(40, 60)):
    """An episode whose frames are noise, and whose n-th reward is n."""
    random = np.random.default_rng(0)
    drawn = [random.integers(0, 256, (*size, 3), dtype=np.uint8) for _ in range(steps + 1)]
    return Episode(0, [float(n) for n in range(1, steps + 1)], [], [0] * steps, True, drawn)


def test_frames_are_left_out_of_long_films_and_the_speed_stays(monkeypatch, tmp_path):
    told = []
    monkeypatch.setattr(episode_film, "FRAMES", 20)
    monkeypatch.setattr(episode_film, "_with_strip", lambda frame, words: told.append(words) or frame)
    shot = episode_film.shot(episode(30), 2, 2, fps=10)
    # 31 frames, of which 10 may stay: each fourth, and the last.
    assert [words[1] for words in told] == [f"step {step}" for step in (2, 6, 10, 14, 18, 22, 26, 30)]
    assert told[1] == ("episode 2/2", "step 6", "return 21") and shot.seconds == 0.4
    assert episode_film.shot(episode(3), 1, 2, fps=200).seconds == 0.02  # viewers do not show what is shorter
    monkeypatch.setattr(episode_film, "BYTES", 30_000)
    path = episode_film.write([shot], tmp_path / "film.gif")
    assert path.stat().st_size <= 30_000
    images, times = frames(path)
    assert len(images) in (1, 2, 4) and times[-1] == 1500 + (3200 // len(images) if len(images) < 8 else 400)
    rough = np.abs(images[-1] - episode(30).frames[-1]).mean()
    assert rough < 20  # the end is still there, noise or not


def test_frames_have_the_size_of_a_film():
    sizes = {(400, 600): (280, 420), (210, 160): (420, 320), (512, 288): (420, 252), (84, 84): (420, 420)}
    for (height, width), (high, wide) in sizes.items():
        image = episode_film._with_strip(np.zeros((height, width, 3), np.uint8), ("a", "b", "c"))
        assert image.shape == (high + episode_film.STRIP, max(wide, 252), 3) and image.dtype == np.uint8


def test_an_mp4_holds_its_last_frame(monkeypatch, tmp_path):
    sent, how = [], {}

    def write_frames(path, size, **options):
        how.update(size=size, **options)
        while True:
            try:
                frame = yield
            except GeneratorExit:
                (tmp_path / "film.mp4").write_bytes(b"film")
                return
            sent.append(frame)

    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", types.SimpleNamespace(write_frames=write_frames))
    shots = [
        episode_film.Shot([np.full((31, 41, 3), k, np.uint8) for k in range(3)], seconds) for seconds in (0.1, 0.2)
    ]
    episode_film.write(shots, tmp_path / "film.mp4")
    assert how == {"size": (40, 30), "fps": 10, "macro_block_size": 2}
    assert all(frame.shape == (30, 40, 3) and frame.flags.c_contiguous for frame in sent)
    assert [int(frame[0, 0, 0]) for frame in sent] == [0, 1] + [2] * 16 + [0, 0, 1, 1] + [2] * 17


def test_what_is_missing_for_drawing_is_named(lake, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pygame", None)
    with pytest.raises(ZooError, match=r"cannot be drawn.*pip install keras-zoo\[rl\]"):
        showing.play(lake, record=tmp_path / "film.gif")
    assert list(tmp_path.iterdir()) == []
    assert showing.play(lake, episodes=1, verbose=0)[0].total == 1


@pytest.mark.parametrize(
    "arguments, words",
    [
        ({"episodes": 0}, "episodes must be a whole number in 1 <= episodes <= 1000"),
        ({"episodes": True}, "episodes must be"),
        ({"seed": -1}, "seed must be"),
        ({"fps": 0, "record": "film.gif"}, "fps must be"),
        ({"fps": 10}, "fps is of a film, and none is recorded"),
        ({"record": "film.avi"}, r"a \.gif or an \.mp4 file. Received: record='film.avi'"),
        ({"record": "film.mp4"}, "pip install imageio-ffmpeg. A .gif file works without it"),
        ({"env": "FrozenLake-v2"}, "FrozenLake"),
        ({"env": "CartPole-v1"}, r"observations of shape \(\)"),
        ({"run": "nowhere"}, "not a run folder"),
    ],
)
def test_what_cannot_be_played_is_refused(lake, arguments, words, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(ZooError, match=words):
        showing.play(**{"run": lake, **arguments})
    assert list(tmp_path.iterdir()) == []


def test_runs_of_other_models_play_nothing(tmp_path):
    (tmp_path / "recipe.json").write_text(json.dumps({"recipe": "mine", "hyper": {"env": LAKE}, "seed": 0}))
    keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]).save(tmp_path / "model.keras")
    with pytest.raises(ZooError, match="of a model for classification, which plays nothing"):
        showing.play(tmp_path)
    model = zoo.build("q_table", states=16, actions=1)
    model.save(tmp_path / "model.keras")
    with pytest.raises(ZooError, match="values states and chooses no actions"):
        showing.play(tmp_path)


RECIPE = '''
import keras

import zoo


def recipe(epochs=1):
    """A corridor, which is no argument."""
    data = zoo.data.experience("zoo/Corridor-v0", 1, 4, warmup=20, memory=50, episodes=2, test_episodes=2)
    model = zoo.build("q_table", states=6, actions=2)
    model.compile(keras.optimizers.SGD(1.0), "squared")
    return zoo.Recipe(model, data, epochs, [data.train.acting], ("val_return", "max"))
'''


def test_a_run_is_trained_drawn_and_played(tmp_path):
    (tmp_path / "mine.py").write_text(RECIPE)
    folder = tmp_path / "run"
    zoo.train(tmp_path / "mine.py", folder=folder, export=False, verbose=0)
    drawn = {path.name for path in folder.glob("*.png")}
    assert drawn == {"curves.png", "health.png", "episode.png", "policy.png", "q_table.png"}
    record = json.loads((folder / "recipe.json").read_text())
    assert "env" not in record["hyper"] and showing.environment(folder, record) == "zoo/Corridor-v0"
    assert showing.play(folder, episodes=1, verbose=0)[0].length <= 100
