"""`Stream`: batches as a pure function of (seed, epoch, step)."""

import itertools
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo.data import Stream, affine, cutout, elastic, flip, ops, randaugment, shift
from zoo.errors import ZooError


def _stream(size=22, batch_size=5, seed=3, **named):
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (size, 6, 6, 1), np.uint8)
    return Stream((x, np.arange(size, dtype="int32")), batch_size, seed, **named)


def _taken(dataset, count):
    return list(dataset.take(count).as_numpy_iterator())


def _same(one, other):
    tf.nest.assert_same_structure(one, other)
    for left, right in zip(tf.nest.flatten(one), tf.nest.flatten(other), strict=True):
        assert left.dtype == right.dtype
        np.testing.assert_array_equal(left, right)


def test_every_example_comes_once_an_epoch_and_the_last_batch_is_smaller():
    stream = _stream()
    assert (stream.size, stream.steps, stream.input_shape) == (22, 5, (6, 6, 1))
    batches = _taken(stream.open(), 10)
    assert [len(y) for _, y in batches] == [5, 5, 5, 5, 2] * 2
    for epoch in (batches[:5], batches[5:]):
        x, y = (np.concatenate(parts) for parts in zip(*epoch, strict=True))
        np.testing.assert_array_equal(np.sort(y), np.arange(22))
        np.testing.assert_array_equal(x, stream.arrays[0][y])


def test_the_same_seed_gives_the_same_batches_and_another_epoch_another_order():
    orders = [
        np.concatenate([y for _, y in _taken(_stream(seed=seed).open(epoch), 5)]) for seed in (3, 4) for epoch in (0, 1)
    ]
    again = np.concatenate([y for _, y in _taken(_stream().open(), 5)])
    np.testing.assert_array_equal(orders[0], again)
    assert all((one != other).any() for one, other in itertools.combinations(orders, 2))


@pytest.mark.parametrize("augment", [(), (shift(1), flip())])
def test_opened_anywhere_it_goes_on_as_the_run_from_the_beginning(augment):
    stream = _stream(augment=augment)
    whole = _taken(stream.open(), 20)
    for epoch, step in [(0, 3), (2, 0), (2, 4)]:
        start = epoch * stream.steps + step
        _same(_taken(stream.open(epoch, step), 20 - start), whole[start:])


@pytest.mark.parametrize(
    "augment", [(), shift(1), (flip(), affine(20, 0.2, 0.1, 0.1), elastic(8, 2)), (randaugment(2, 9), cutout(2))]
)
def test_the_numpy_twin_has_the_same_bytes(augment):
    stream = _stream(augment=augment)
    opened = _taken(stream.open(epoch=1), 7)
    twin = [stream.batch(1 + k // 5, k % 5) for k in range(7)]
    _same(opened, twin)


def test_augmentation_depends_on_the_example_alone_not_on_its_batch():
    augment = (affine(20, 0.2, 0.1, 0.1), elastic(8, 2), shift(1))
    by_batch = {}
    for batch_size in (1, 5, 22):
        batches = _taken(_stream(batch_size=batch_size, augment=augment).open(epoch=4), -(-22 // batch_size))
        x, y = (np.concatenate(parts) for parts in zip(*batches, strict=True))
        by_batch[batch_size] = x[np.argsort(y)]
    np.testing.assert_array_equal(by_batch[1], by_batch[22])
    np.testing.assert_array_equal(by_batch[5], by_batch[22])


def test_what_an_example_draws_from_a_list_of_operations_depends_on_it_alone():
    batches = {}
    for batch_size in (1, 5, 22):
        stream = _stream(batch_size=batch_size, shuffle=False, augment=randaugment(2, 15))
        batches[batch_size] = np.concatenate([stream.batch(4, step)[0] for step in range(stream.steps)])
    np.testing.assert_array_equal(batches[1], batches[22])
    np.testing.assert_array_equal(batches[5], batches[22])


def test_each_augmentation_draws_numbers_of_its_own():
    drawn = []

    def op(x, draws):
        drawn.append(draws(3))
        return x

    _stream(shuffle=False, augment=(op, op)).batch(0, 0)
    first, second = drawn
    assert first.shape == second.shape == (5, 3)
    assert len(np.unique([first, second])) == 30


def test_augmentation_changes_with_epoch_and_seed():
    drawn = [
        _stream(batch_size=22, seed=seed, shuffle=False, augment=shift(3)).batch(epoch, 0)[0]
        for seed in (0, 1)
        for epoch in (0, 1)
    ]
    for one, other in itertools.combinations(drawn, 2):
        assert (one != other).any(axis=(1, 2, 3)).mean() > 0.8


def test_without_shuffling_the_order_is_the_arrays():
    stream = _stream(shuffle=False)
    np.testing.assert_array_equal(np.concatenate([y for _, y in _taken(stream.open(1), 5)]), np.arange(22))
    np.testing.assert_array_equal(stream.batch(9, 1)[1], np.arange(5, 10))


def test_once_is_finite_in_natural_order_and_not_augmented():
    stream = _stream(augment=shift(2))
    dataset = stream.once()
    assert int(dataset.cardinality()) == 5
    for _ in range(2):
        x, y = (np.concatenate(parts) for parts in zip(*dataset.as_numpy_iterator(), strict=True))
        np.testing.assert_array_equal(x, stream.arrays[0])
        np.testing.assert_array_equal(y, np.arange(22))
    assert int(stream.open().cardinality()) == tf.data.INFINITE_CARDINALITY


def test_map_makes_the_element_everywhere():
    stream = _stream(map=lambda x, y: (x, {"a": y, "b": y * 2}))
    for element in (stream.batch(0, 0), _taken(stream.open(), 1)[0], _taken(stream.once(), 1)[0]):
        np.testing.assert_array_equal(element[1]["b"], 2 * element[1]["a"])
    assert stream.element_spec == (((None, 6, 6, 1), "uint8"), {"a": ((None,), "int32"), "b": ((None,), "int32")})


def test_weights_are_gathered_with_their_examples():
    stream = Stream((np.arange(8.0), np.arange(8), np.arange(8) / 8), 3, seed=0)
    _, y, weights = stream.batch(0, 1)
    np.testing.assert_array_equal(y / 8, weights)


def test_the_fingerprint_sees_bytes_types_and_shapes():
    x, y = np.arange(8, dtype="uint8"), np.arange(8)
    variants = [(x, y), (x.view("int8"), y), (x.reshape(8, 1), y), (np.r_[x[:-1], np.uint8(0)], y), (x, y[::-1])]
    prints = [Stream(arrays, 2, 0).fingerprint for arrays in variants]
    assert len(set(prints)) == len(variants) and all(len(value) == 64 for value in prints)
    assert prints[0] == Stream((x.copy(), y.copy()), 4, 1).fingerprint
    assert Stream((x, y), 2, 0).nbytes == 8 + 64


def test_the_arrays_are_no_constants_of_the_graph():
    x = np.random.default_rng(0).integers(0, 256, (1000, 28, 28, 1), np.uint8)
    stream = Stream((x, np.arange(1000)), 100, 0)
    for dataset in (stream.open(), stream.once()):
        written = tf.raw_ops.DatasetToGraphV2(input_dataset=dataset._variant_tensor, external_state_policy=1)
        functions = tf.compat.v1.GraphDef.FromString(written.numpy()).library
        assert len(functions.function) > 0 and functions.ByteSize() < x.nbytes / 4


def test_keras_trains_on_it_without_a_warning():
    stream = _stream()
    model = keras.Sequential([keras.Input((6, 6, 1)), keras.layers.Flatten(), keras.layers.Dense(22)])
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    history = model.fit(
        stream.open(), steps_per_epoch=stream.steps, epochs=2, validation_data=stream.once(), shuffle=False, verbose=0
    )
    assert len(history.history["val_loss"]) == 2


@pytest.mark.parametrize(
    "arguments, message",
    [
        (dict(arrays=(np.zeros(3), np.zeros(4)), batch_size=2), r"arrays of one length.*\[3, 4\]"),
        (dict(arrays=(np.zeros(0), np.zeros(0)), batch_size=2), "at least one example"),
        (dict(arrays=(), batch_size=2), "arrays of one length"),
        (dict(arrays=(np.zeros(3), np.zeros(3)), batch_size=0), "batch_size must be a whole number >= 1"),
        (dict(arrays=(np.zeros(3), np.zeros(3)), batch_size=2.5), "batch_size must be a whole number >= 1"),
        (dict(arrays=(np.zeros(3), np.zeros(3)), batch_size=2, augment=flip()), "augmentation works on uint8 images"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ZooError, match=message):
        Stream(**arguments)


@pytest.mark.parametrize("epoch, step", [(-1, 0), (0, -1), (0, 5)])
def test_a_place_outside_is_refused(epoch, step):
    for opened in (_stream().open, _stream().batch):
        with pytest.raises(ZooError, match="epoch|step"):
            opened(epoch, step)


def test_numpy_batches_need_no_tensorflow():
    code = (
        "import sys\n"
        "class Absent:\n"
        "    def find_spec(self, name, *rest):\n"
        "        if name.split('.')[0] in ('tensorflow', 'tensorflow_datasets'): raise ImportError(name)\n"
        "sys.meta_path.insert(0, Absent())\n"
        "from zoo.data import affine, elastic, images, mixup, randaugment, table\n"
        "data = images('digits', 32, size=12, augment=(affine(10, 0.1), elastic(8, 2)), seed=0)\n"
        "x, y = data.train.batch(3, 2)\n"
        "assert x.shape == (32, 12, 12, 1) and x.dtype == 'uint8' and y.dtype == 'int32'\n"
        "mixed = mixup(images('digits', 32, augment=randaugment(), seed=0))\n"
        "assert [array.dtype for array in mixed.train.batch(0, 1)] == ['uint8', 'float32']\n"
        "assert table('wine', seed=0).train.batch(0, 0)[0].shape == (32, 13)\n"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_a_mapped_stream_passes_elements_through_one_more_function():
    stream = Stream((np.arange(10.0), np.arange(10)), 4, seed=1, map=lambda x, y: (x * 2, y))
    more = stream.mapped(lambda x, y: (x + 1, {"logits": y}))
    for epoch, step in ((0, 0), (3, 2)):
        (x, y), (before, labels) = more.batch(epoch, step), stream.batch(epoch, step)
        np.testing.assert_array_equal(x, before + 1)
        np.testing.assert_array_equal(y["logits"], labels)
        opened, _ = next(iter(more.open(epoch, step)))
        np.testing.assert_array_equal(opened, x)


def _next_added(x, y, draws):
    """Mixes with the batch: each label plus the next, and a number of the example's own."""
    xp = ops.of(x)
    following = xp.take(y, (xp.arange(xp.shape(y)[0]) + 1) % xp.shape(y)[0])
    return x, y + following + xp.cast(draws(1)[:, 0] * 1000, "int32") * 100


def test_mixing_sees_the_augmented_batch_and_comes_before_the_map():
    plain = _stream(augment=shift(1))
    stream = _stream(augment=shift(1), map=lambda x, y: (x, {"y": y})).mixed(_next_added)
    whole = _taken(stream.open(), 10)
    _same(whole, [stream.batch(k // 5, k % 5) for k in range(10)])
    _same(_taken(stream.open(1, 2), 3), whole[7:])
    x, y = plain.batch(1, 2)
    np.testing.assert_array_equal(whole[7][0], x)
    np.testing.assert_array_equal(whole[7][1]["y"] % 100, y + np.roll(y, -1))
    for x, y in stream.once().as_numpy_iterator():  # Validation is not mixed.
        np.testing.assert_array_equal(x, stream.arrays[0][y["y"]])


def test_each_mixing_draws_numbers_of_its_own_and_derived_streams_keep_it():
    drawn = []

    def mix(x, y, draws):
        drawn.append(draws(2))
        return x, y

    stream = Stream(_stream().arrays, 5, 3, shuffle=False, mix=[mix, mix], augment=flip())
    stream.batch(0, 0)
    assert len(np.unique(drawn)) == 20
    for derived in (stream.mapped(lambda x, y: (x, y)), stream.joined(_stream())):
        assert derived.mix == (mix, mix) and derived.augment == stream.augment
        np.testing.assert_array_equal(derived.batch(0, 0)[1], np.arange(5))
