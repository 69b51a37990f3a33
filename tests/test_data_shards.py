"""Images that lie on the disk: the order of an epoch, batches, caches, and what uses them."""

import itertools
import json
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

import zoo
from zoo.data import Stream, crop, flip, images, mixup, random, shards, shards_order, shards_reading, write_shards
from zoo.data.bagging import bootstrap
from zoo.errors import ZooError
from zoo.recorder import Interrupted
from zoo.retraining import with_validation_data

SIZE = 70
BENCHMARKS = Path(__file__).parent.parent / "benchmarks"


def _pixels(size=SIZE, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (size, 8, 8, 3), np.uint8), np.arange(size, dtype="int32") % 4


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_shards(_pixels(), tmp_path_factory.mktemp("set") / "shards", shards=5)


def _opened(folder, **named):
    return images(str(folder), 8, seed=3, streaming=True, **named)


def _same(one, other):
    for left, right in zip(one, other, strict=True):
        assert left.dtype == right.dtype
        np.testing.assert_array_equal(left, right)


def _buffer(seed, epoch, size, places):
    """The buffer as one would build it: a list."""
    drawn, _ = random.threefry((seed, epoch), (np.arange(size - places), random.BUFFER))
    held, left = list(range(places)), []
    for arriving, slot in enumerate(drawn.astype(object) * places >> 32, places):
        left.append(held[slot])
        held[slot] = arriving
    return left + [held[k] for k in random.permutation(seed, epoch, places, random.REST)]


@pytest.mark.parametrize("size, places", [(1, 1), (9, 1), (100, 7), (40, 40)])
def test_the_buffer_is_that_of_a_list(size, places):
    assert shards_order._buffered(3, 2, size, places).tolist() == _buffer(3, 2, size, places)


def test_shards_come_at_random_and_interleaved():
    shard = np.repeat(np.arange(40), np.arange(30, 70))
    orders = [shards_order.order(seed, epoch, shard, buffer=1) for seed in (0, 1) for epoch in (0, 1)]
    for order in orders:
        np.testing.assert_array_equal(np.sort(order), np.arange(len(shard)))
        first = shard[order[:256]]
        assert (first.reshape(16, 16) == first[::16, None]).all() and len(set(first)) == 16
        for one in range(40):  # Within a shard from front to back.
            assert (np.diff(order[shard[order] == one]) == 1).all()
    assert all((one != other).any() for one, other in itertools.combinations(orders, 2))
    np.testing.assert_array_equal(shards_order.order(1, 0, shard, 1), orders[2])


def test_a_buffer_mixes_what_comes_from_far_and_a_large_one_mixes_all():
    shard = np.zeros(4000, int)
    moved = shards_order.order(0, 0, shard, buffer=500) - np.arange(4000)
    assert 300 < np.abs(moved).mean() < 800
    whole = shards_order.order(0, 0, shard, buffer=10**6)
    assert abs(np.corrcoef(whole, np.arange(4000))[0, 1]) < 0.05


def test_every_example_comes_once_an_epoch_and_the_last_batch_is_smaller(folder):
    stream = _opened(folder, shuffle_buffer=9).train
    assert (stream.size, stream.steps, stream.input_shape) == (50, 7, (8, 8, 3))
    orders = []
    for epoch in (0, 1):
        batches = list(stream.open(epoch).take(7).as_numpy_iterator())
        assert [len(y) for _, y in batches] == [8] * 6 + [2]
        x = np.concatenate([x for x, _ in batches])
        where = {image.tobytes(): place for place, image in enumerate(np.asarray(stream.arrays[0]))}
        orders.append([where[image.tobytes()] for image in x])
        np.testing.assert_array_equal(np.concatenate([y for _, y in batches]), stream.arrays[1][orders[-1]])
    assert sorted(orders[0]) == sorted(orders[1]) == list(range(50)) and orders[0] != orders[1]


def test_opened_anywhere_it_goes_on_as_the_run_from_the_beginning_and_as_numpy(folder):
    stream = _opened(folder, shuffle_buffer=9, augment=flip()).train
    whole = list(stream.open().take(14).as_numpy_iterator())
    for epoch, step in [(0, 3), (1, 6)]:
        for later, batch in enumerate(stream.open(epoch, step).take(14 - epoch * 7 - step).as_numpy_iterator()):
            _same(batch, whole[epoch * 7 + step + later])
        _same(stream.batch(epoch, step), whole[epoch * 7 + step])
    for number, batch in enumerate(stream.once().as_numpy_iterator()):
        _same(batch, stream.once_batch(number))
        _same(batch, [array[number * 8 : number * 8 + 8] for array in stream.arrays])


def test_splits_pixels_and_augmentation_are_those_of_memory(folder):
    named = dict(seed=3, augment=crop(1), examples=30, classes=["2", "0", "3"], validation=0.2)
    stored, held = images(str(folder), 8, streaming=True, **named), images(str(folder), 8, **named)
    assert stored.labels == held.labels == ("2", "0", "3") and stored.train.size == 30
    for part, stream in stored.parts.items():
        assert isinstance(stream.arrays[0], shards.StoredImages) and isinstance(held.parts[part].arrays[0], np.ndarray)
        _same([np.asarray(array) for array in stream.arrays], held.parts[part].arrays)
    index = stored.train._order(4)[:8]
    _same(stored.train.batch(4, 0), held.train._element(held.train.arrays, 4, index))


def test_it_answers_as_an_array_does(folder):
    stored = _opened(folder).train.arrays[0]
    everything = np.asarray(stored)
    assert (len(stored), stored.shape, stored.ndim, stored.dtype) == (50, (50, 8, 8, 3), 4, np.uint8)
    mask = np.arange(50) % 5 == 0
    for rows in (3, -1, slice(2, 40, 7), slice(-3, None), [5, 2, 2], mask, np.empty(0, int)):
        np.testing.assert_array_equal(stored[rows], everything[rows])
    np.testing.assert_array_equal(np.asarray(stored.only(mask)), everything[mask])
    assert 0 < stored.nbytes < 50 * 45


def test_a_set_too_large_for_memory_says_so(folder):
    stored = _opened(folder, size=10**6).train.arrays[0]
    with pytest.raises(ZooError, match=r"50 images of .* were asked for at once.*GiB"):
        np.asarray(stored)
    with pytest.raises(ZooError, match=r"70 images of 1000000 x 1000000 need .* --streaming reads them from the disk"):
        images(str(folder), 8, size=10**6)


@pytest.mark.parametrize("cache", ["memory", "folder"])
def test_a_cache_gives_the_same_bytes_and_decodes_once(folder, tmp_path, cache, monkeypatch):
    where = cache if cache == "memory" else str(tmp_path / "kept")
    plain, cached = _opened(folder), _opened(folder, cache=where)
    assert cached.train.fingerprint == plain.train.fingerprint
    assert (cached.train.nbytes - plain.train.nbytes) == (50 * 8 * 8 * 3 if cache == "memory" else 0)
    first = list(cached.train.open(0).take(7).as_numpy_iterator())
    for one, other in zip(first, plain.train.open(0).take(7).as_numpy_iterator(), strict=True):
        _same(one, other)
    later = [plain.train.batch(1, step) for step in range(7)]
    decoded, contents = [], shards_reading.contents
    monkeypatch.setattr(shards_reading, "contents", lambda *where: decoded.extend(where[1]) or contents(*where))
    for step, batch in enumerate(later):
        _same(cached.train.batch(1, step), batch)
    assert not decoded
    if cache == "folder":
        (pixels,) = (path for path in (tmp_path / "kept").glob("*.pixels") if path.stat().st_size == 50 * 192)
        content = bytearray(pixels.read_bytes())
        content[1000] ^= 1
        pixels.write_bytes(content)
        again = np.asarray(_opened(folder, cache=where).train.arrays[0])  # As the next run.
        assert len(decoded) == 1
        np.testing.assert_array_equal(again, np.asarray(plain.train.arrays[0]))


def test_a_cache_that_does_not_fit_is_refused(folder, tmp_path):
    def first(cache, size=10**5):
        return _opened(folder, cache=cache, size=size).train.arrays[0][:1]

    with pytest.raises(ZooError, match=r"50 decoded images take \d+ GiB, and this machine has"):
        first("memory")
    with pytest.raises(ZooError, match=r"50 decoded images take .* GiB left. Another folder"):
        first(str(tmp_path / "kept"))
    (tmp_path / "file").write_text("")
    with pytest.raises(ZooError, match="the cache cannot be kept in .*file.*Choose another folder"):
        first(str(tmp_path / "file" / "kept"), None)


def test_what_is_built_on_streams_takes_it(folder):
    data, held = _opened(folder), images(str(folder), 8, seed=3)
    for one, other in ((mixup(data), mixup(held)), (bootstrap(data, 2, seed=0), bootstrap(held, 2, seed=0))):
        assert one.train.element_spec == other.train.element_spec
        _same(keras.tree.flatten(next(iter(one.train.open(2, 1)))), keras.tree.flatten(one.train.batch(2, 1)))
        _same(keras.tree.flatten(one.validation.once_batch(0)), keras.tree.flatten(other.validation.once_batch(0)))
    model = zoo.build("mlp", input_shape=(8, 8, 3), num_classes=4)
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    both = with_validation_data(zoo.Recipe(model, data, 2), 3).data.train
    expected = [np.concatenate(pair) for pair in zip(held.train.arrays, held.validation.arrays, strict=True)]
    _same([np.asarray(array) for array in both.arrays], expected)
    assert sorted(np.concatenate([both.batch(0, k)[1] for k in range(both.steps)])) == sorted(expected[1])
    with pytest.raises(ZooError, match="repeats must be 1 for images that are streamed"):
        Stream(data.train.arrays, 8, 0, repeats=2)


def test_other_tasks_are_refused_with_the_reason(folder):
    model = zoo.build("autoencoder", input_shape=(8, 8, 3))
    with pytest.raises(ZooError, match="'autoencoder' is for autoencoding.*needs them in memory.*streaming=False"):
        zoo.data.check_fits(_opened(folder), model)


def test_a_run_that_was_stopped_goes_on_to_the_same_bits(tmp_path):
    write_shards(images("digits", 32, seed=0, examples=160), tmp_path / "set", shards=4, format="raw")
    named = dict(data=str(tmp_path / "set"), epochs=2, batch_size=32, streaming=True, export=False, verbose=0)
    whole = zoo.train("images", folder=tmp_path / "whole", **named)
    with pytest.raises(Interrupted):
        zoo.train("images", folder=tmp_path / "parts", until=1, pictures=False, **named)
    resumed = zoo.resume(tmp_path / "parts", verbose=0)
    for one, other in zip(whole.model.get_weights(), resumed.model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert whole.metrics["test_accuracy"] == resumed.metrics["test_accuracy"]
    assert {"confusion.png", "mistakes.png"} <= {path.name for path in (tmp_path / "whole").iterdir()}
    for file in (tmp_path / "set" / "train").glob("*.tfrecord*"):
        content = bytearray(file.read_bytes())
        content[-20] ^= 1
        file.write_bytes(content)
    with pytest.raises(ZooError, match="record .* is not what was written"):
        zoo.evaluate(tmp_path / "whole")


def test_what_breaks_under_way_is_told_as_it_is(tmp_path):
    files = []
    for k in range(20):
        path = tmp_path / "set" / "ab"[k % 2] / f"{k}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(_pixels(1, seed=k)[0][0]).save(path)
        files.append(path)
    train = images(tmp_path / "set", 4, streaming=True, seed=0).train
    for path in files:
        path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(ZooError, match=r"\d+\.png is no longer what it was when the set was indexed"):
        train.batch(0, 0)
    for path in files:
        path.unlink()
    with pytest.raises(ZooError, match=r"\.png cannot be read: No such file.*when the set was opened$") as caught:
        with shards.failures_told():
            next(iter(train.open()))
    assert caught.value.__cause__ is None and caught.value.__suppress_context__
    with pytest.raises(ValueError, match="mine"), shards.failures_told():
        raise ValueError("mine")


def test_memory_stays_flat(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import streaming

    (tmp_path / "set").mkdir()
    count = streaming.write(tmp_path / "set", 200 * 2**20, shards=8)
    command = [sys.executable, str(BENCHMARKS / "streaming.py"), "watched", str(tmp_path / "set"), "200"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["images"] == count > 2000
    # The files are 200 MiB, and what is decoded from them is 98.
    assert found["most"] - found["first"] < 40, found
