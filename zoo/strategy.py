"""How a training is spread: over one device, over those of this machine, or over those of several machines.

Data parallelism, synchronous: each device holds all weights and works on a part of each batch; the gradients are added
up, and every device takes the same step. So a batch stays the recipe's own, and so do its learning rate and its losses.
"""

import contextlib
import weakref

import keras

from zoo import hosts
from zoo.data import feeding
from zoo.errors import ZooError, choose, require

STRATEGIES = ("none", "mirrored")
_taken = weakref.WeakKeyDictionary()


class Alone:
    """A training on one device: nothing is spread.

    What is said here of its methods holds of every strategy.

    Args:
        why: why there is one, for people.

    Attributes:
        devices: how many share a batch.
        why: what is spread over what, and what of it changes numbers.
    """

    devices = 1

    def __init__(self, why="one device"):
        self.why = why

    def scope(self):
        """A context in which the recipe is called: model, optimizer and metrics are made for all devices."""
        return contextlib.nullcontext()

    def jit_compile(self, asked):
        """A pair of whether XLA compiles the step and why, where that is no free choice; else None."""
        return None

    def steps_per_execution(self, asked):
        """A pair of the steps that one call takes and why, where that is no free choice; else None."""
        return None

    def take(self, built):
        """Makes ready a recipe that was called in the scope.

        Raises:
            ZooError: something in it cannot be spread, and why.
        """

    def feed(self, stream, epoch):
        """The training batches from an epoch on, as `fit` takes them: see `zoo.data.feeding.feed`."""
        return feeding.feed(stream, epoch)

    def feed_once(self, stream):
        """Every example once: see `zoo.data.feeding.feed_once`."""
        return feeding.feed_once(stream)

    def settle(self, model):
        """After the last step: gives a model to this process alone, if it was shared between devices or hosts."""


def find(asked):
    """The strategy of a training.

    Args:
        asked: "none", or "mirrored": all devices of this machine share each batch. Where several machines were joined
            (`zoo.hosts`), all devices of all of them do, whatever is asked.

    Returns:
        An `Alone`, or what has its methods.

    Raises:
        ZooError: an unknown strategy, or a backend that has none.
    """
    choose("strategy", asked, STRATEGIES)
    backend = keras.backend.backend()
    if backend == "jax" and hosts.joined():
        from zoo.parallel import Parallel

        return Parallel()
    if asked == "none":
        return Alone()
    if backend == "tensorflow":
        from zoo import mirrored

        devices = mirrored.devices()
        return mirrored.Mirrored(devices) if len(devices) > 1 else Alone(ONE)
    if backend == "jax":
        from zoo.parallel import Parallel

        return Parallel() if len(keras.distribution.list_devices()) > 1 else Alone(ONE)
    raise ZooError(f"strategy={asked!r} needs the TensorFlow or the JAX backend. Received: KERAS_BACKEND={backend}")


ONE = "there is one device: nothing to share"


def remember(model, strategy):
    """Notes by which strategy a model is trained."""
    _taken[model] = strategy


def of(model):
    """The strategy by which a model is trained; an `Alone` where none was noted."""
    return _taken.get(model) or Alone()


def check_batch(built, devices):
    """Refuses a batch that has no example for some device, and says which batch size would do.

    Args:
        built: a `zoo.Recipe`.
        devices: how many share a batch.

    Raises:
        ZooError: the batch size is below the number of devices.
    """
    size = built.data.train.batch_size
    require(size >= devices, "batch_size", size, f"at least {devices}: there are so many devices to share a batch")


def check_last(built, devices):
    """Refuses a last, smaller batch that has no example for some device.

    Args:
        built: a `zoo.Recipe`.
        devices: how many share a batch.

    Raises:
        ZooError: such a batch in a part of the data, and a batch size with which none has it.
    """
    sizes = {name: stream.size * getattr(stream, "repeats", 1) for name, stream in built.data.parts.items()}
    batches = {name: stream.batch_size for name, stream in built.data.parts.items()}

    def left(batch, name):
        return sizes[name] % batch if 0 < sizes[name] % batch < devices else 0

    for name, batch in batches.items():
        if left(batch, name):
            near = sorted(range(devices, 2 * batch), key=lambda size: abs(size - batch))
            fits = next((size for size in near if not any(left(size, name) for name in batches)), None)
            works = f"a batch size of {fits} would do" if fits else "each part must have at least as many examples"
            raise ZooError(
                f"the last batch of the {name} data has {left(batch, name)} of its {sizes[name]} examples, and "
                f"{devices} devices share it: some would have nothing to work on. Received: batches of {batch}; {works}"
            )


def check_callbacks(built, kinds, why):
    """Refuses callbacks that a strategy has no place for.

    Args:
        built: a `zoo.Recipe`.
        kinds: names of their classes.
        why: the reason.

    Raises:
        ZooError: the recipe has one.
    """
    for callback in built.callbacks:
        if type(callback).__name__ in kinds:
            raise ZooError(f"{type(callback).__name__} {why}. Train this recipe on one device")
