"""Several devices of one machine, on the TensorFlow backend: `tf.distribute.MirroredStrategy`, made exact.

Keras 3.15 trains under the strategy, but not as one device does: it takes the mean of the devices' means, whose parts
of a last batch are not of one size; it clips each device's gradient by itself, before they are added up; and it leaves
devices without examples at all, on which convolutions fail. Here a batch is cut into parts as equal as can be, each
part's gradient counts by its number of examples, and the sum is what the optimizer is given.
"""

import functools
import logging
import threading

import keras
import tensorflow as tf

from zoo import state, strategy
from zoo.errors import ZooError
from zoo.execution import layers
from zoo.tasks import task_of

# What a replica works on, while its step is traced: each is traced in a thread of its own.
_part = threading.local()

MEANS = ("sum_over_batch_size", "mean")


def devices():
    """The names of this machine's devices that share batches: its GPUs, or else its logical CPUs."""
    found = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    return tuple(device.name for device in found)


class Mirrored(strategy.Alone):
    """A training on several devices of this machine.

    Args:
        names: of the devices.
    """

    def __init__(self, names):
        self.devices = len(names)
        self.why = f"{self.devices} devices share each batch"
        self._spread = _strategy(names)

    def scope(self):
        return self._spread.scope()

    def jit_compile(self, asked):
        if asked is True:
            raise ZooError(
                "XLA compiles a step for one device, and several share this one. Received: jit_compile=True; "
                "what works: jit_compile=False (--jit-compile no), or strategy='none'"
            )
        return False, "XLA compiles for one device"

    def steps_per_execution(self, asked):
        if asked not in ("auto", 1):
            raise ZooError(
                f"TensorFlow does not find its way through a loop over steps that several devices share. Received: "
                f"steps_per_execution={asked}; what works: 1"
            )
        return 1, "several devices share a step"

    def take(self, built):
        model = built.model
        if task_of(model) == "q_learning":
            raise ZooError(
                "an agent acts and learns in turn, in one environment, which several devices cannot share. "
                "Train this recipe with strategy='none'"
            )
        if task_of(model) in ("generation", "translation"):
            raise ZooError(
                "the two players of an adversarial network draw noise at each step, and on several devices their "
                "numbers were not those of one device to 1e-4. Train this recipe with strategy='none'"
            )
        strategy.check_batch(built, self.devices)
        strategy.check_last(built, self.devices)
        strategy.check_callbacks(built, ("SAM", "GreedyPretraining"), "trains on one device")
        _check_losses(model)
        self.why += _changes(model)
        for optimizer in state.optimizers(model):
            if getattr(optimizer, "gradient_accumulation_steps", None):
                raise ZooError(
                    "Keras cannot gather the gradients of several steps on several devices. Received: "
                    f"gradient_accumulation_steps={optimizer.gradient_accumulation_steps}; what works: a larger batch"
                )
        with self.scope():
            if not model.optimizer.built:
                model.optimizer.build(model.trainable_variables)
        for optimizer in _outermost(model):
            _sum_first(optimizer)
        strategy.remember(model, self)


def sizes(own):
    """How many examples each device has, asked inside a step.

    Args:
        own: int32 tensor, those of the device that asks.

    Returns:
        A float32 tensor (devices,), the same on each.
    """
    context = tf.distribute.get_replica_context()
    # Not all_gather, which in a loop over steps loses its place.
    place = tf.one_hot(context.replica_id_in_sync_group, context.num_replicas_in_sync)
    return context.all_reduce(tf.distribute.ReduceOp.SUM, place * tf.cast(own, "float32"))


def share(own):
    """By how much a device's mean counts in the mean of all: 1 where their parts are of one size.

    Args:
        own: as `sizes` has it.
    """
    found = sizes(own)
    return tf.cast(own, "float32") * tf.cast(tf.size(found), "float32") / tf.reduce_sum(found)


class _Spread(tf.distribute.MirroredStrategy):
    """The strategy, with another way to cut batches."""

    def experimental_distribute_dataset(self, dataset, options=None):
        count = self.num_replicas_in_sync

        def cut(*element):
            size = tf.shape(tf.nest.flatten(element)[0], out_type="int64")[0]

            def part(place):
                rows = slice(place * size // count, (place + 1) * size // count)
                found = tf.nest.map_structure(lambda each: each[rows], element)
                return found if len(found) > 1 else found[0]

            return tf.data.Dataset.range(count).map(part)

        batches = dataset.cardinality()
        known = tf.where(batches < 0, batches, batches * count)
        parts = dataset.flat_map(cut).apply(tf.data.experimental.assert_cardinality(known))
        return self.distribute_datasets_from_function(lambda _: parts.prefetch(count))

    def run(self, fn, args=(), kwargs=None, options=None):
        @functools.wraps(fn)
        def step(*arguments, **named):
            _part.data = arguments
            try:
                return fn(*arguments, **named)
            finally:
                _part.data = None

        return super().run(tf.autograph.experimental.do_not_convert(step), args, kwargs, options)

    def reduce(self, reduce_op, value, axis):
        # Keras asks for the mean of a batch's parts, to see its shapes; parts of several sizes have none.
        if axis is None and tf.nest.is_nested(value):
            return tf.nest.map_structure(lambda each: self.experimental_local_results(each)[0], value)
        return super().reduce(reduce_op, value, axis)


@functools.cache
def _strategy(names):
    # It says on which devices, twice, and of CPUs that there is no faster way to add up.
    logger = tf.get_logger()
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        return _Spread(list(names))
    finally:
        logger.setLevel(before)


def _sum_first(optimizer):
    """Has an optimizer work on the gradient of the whole batch: it clips that, and looks there for what overflowed."""
    apply = optimizer.apply
    inner = optimizer
    while hasattr(inner, "inner_optimizer"):
        inner = inner.inner_optimizer

    def apply_sum(grads, trainable_variables=None):
        context = tf.distribute.get_replica_context()
        if context is None or context.num_replicas_in_sync == 1:
            return apply(grads, trainable_variables)
        factor = share(tf.shape(tf.nest.flatten(_part.data)[0])[0])
        present = [factor * grad for grad in grads if grad is not None]
        sums = iter(context.all_reduce(tf.distribute.ReduceOp.SUM, present))
        return apply([None if grad is None else next(sums) for grad in grads], trainable_variables)

    optimizer.apply = apply_sum
    # They are the same on all devices by then.
    inner._all_reduce_sum_gradients = list


def _outermost(model):
    """The optimizers of a model, without those inside another."""
    found = state.optimizers(model)
    inside = {id(getattr(optimizer, "inner_optimizer", None)) for optimizer in found}
    return [optimizer for optimizer in found if id(optimizer) not in inside]


def _check_losses(model):
    """Refuses what is no mean over examples: the mean of a batch is not that of its parts."""
    for loss in keras.tree.flatten(getattr(model, "loss", None)):
        reduction = getattr(loss, "reduction", "mean")
        if reduction not in MEANS:
            raise ZooError(
                f"devices add up what are means over examples. Received: a loss with reduction={reduction!r}; what "
                f"works: {' or '.join(map(repr, MEANS))}"
            )
        if getattr(loss, "ignore_class", None) is not None:
            raise ZooError(
                f"{loss.name} leaves symbols or pixels out (ignore_class={loss.ignore_class}) and is a mean over the "
                "others, of which devices have different numbers: their mean is not the batch's. Train this recipe on "
                "one device; on the JAX backend it can be spread"
            )
    if any(getattr(tensor, "_keras_mask", None) is not None for tensor in keras.tree.flatten(model.outputs)):
        raise ZooError(
            f"{model.name} masks steps of its sequences, and the loss is a mean over the others, of which devices have "
            "different numbers: their mean is not the batch's. Train this recipe on one device; on the JAX backend it "
            "can be spread"
        )


def _changes(model):
    """What a batch in parts changes in the numbers, as the end of a sentence."""
    kinds = {type(layer).__name__ for layer in layers(model)}
    found = ""
    whole = keras.layers.BatchNormalization
    parts = [each for each in layers(model) if isinstance(each, whole) and not each.synchronized and each.trainable]
    if parts:
        found += "; batch normalisation: by each device's part, and the first one's moving statistics are kept"
    if "SparseActivity" in kinds:
        found += "; sparsity: of each device's part"
    if "Dropout" in kinds:
        found += "; dropout: the same masks on each device"
    return found
