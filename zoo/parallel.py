"""Several devices, of one machine or of several, on the JAX backend: `keras.distribution.DataParallel`.

JAX compiles one program for all devices, which computes what one device would: the loss and its gradient are those of
the whole batch, batch normalisation sees all of it, and dropout draws one mask for it.

Keras' own way of the data wants every batch to divide by the number of devices, the last one too. Here each batch is
placed as it is: cut where it divides, and otherwise whole on every device, which then all compute the same.
"""

import keras

from zoo import hosts, strategy
from zoo.data import feeding
from zoo.errors import ZooError
from zoo.tasks import task_of


class Parallel(strategy.Alone):
    """A training on all devices that JAX sees: those of this machine, or those of all hosts that were joined."""

    def __init__(self):
        import jax

        names = keras.distribution.list_devices()
        self.devices = len(names)
        machines = jax.process_count()
        self.why = f"{self.devices} devices{f' of {machines} hosts' if machines > 1 else ''} share each batch"
        self._spread = keras.distribution.DataParallel(devices=names, auto_shard_dataset=False)

    def scope(self):
        return self._spread.scope()

    def take(self, built):
        model = built.model
        strategy.check_batch(built, self.devices)
        if hosts.joined():
            _check_hosts(built)
        with self.scope():
            if not model.optimizer.built:
                model.optimizer.build(model.trainable_variables)
        strategy.remember(model, self)

    def feed(self, stream, epoch):
        def made(number):
            step = number % stream.steps
            size = min(stream.batch_size, stream.size * getattr(stream, "repeats", 1) - step * stream.batch_size)
            rows = self._own(size)
            if rows is None:
                return size, stream.batch(epoch + number // stream.steps, step)
            return size, stream.batch(epoch + number // stream.steps, step, rows)

        return _Placed(self, made)

    def feed_once(self, stream):
        def made(number):
            size = min(stream.batch_size, stream.size - number * stream.batch_size)
            rows = self._own(size)
            whole = stream.once_batch(number)
            return size, whole if rows is None else keras.tree.map_structure(lambda each: each[rows], whole)

        return _Placed(self, made, stream.once_steps)

    def placed(self, size, batch):
        """A batch on the devices: of `size` examples over all hosts, of which `batch` has this host's part, or all."""
        import jax

        mesh = self._spread.device_mesh.backend_mesh
        axes = (self._spread.batch_dim_name,) if size % self.devices == 0 else ()
        layout = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec(*axes))

        def place(part):
            return jax.make_array_from_process_local_data(layout, part, (size, *part.shape[1:]))

        return keras.tree.map_structure(place, batch)

    def settle(self, model):
        import numpy as np

        owners = [model, *model._flatten_layers(include_self=False)]
        held = {id(each): each for owner in owners for each in (*owner.variables, *owner.metrics_variables)}
        held |= {id(each): each for each in model.optimizer.variables}
        values = [np.asarray(each.value) for each in held.values()]
        hosts.part()
        for variable, value in zip(held.values(), values, strict=True):
            variable._layout = None
            variable.assign(value)
        # They were compiled for all devices.
        model.train_function = model.test_function = model.predict_function = None

    def _own(self, size):
        """The slice of a batch that this host's devices work on; None where that is all of it."""
        import jax

        machines = jax.process_count()
        if machines == 1 or size % self.devices:
            return None
        here = [place for place, device in enumerate(jax.devices()) if device.process_index == jax.process_index()]
        return slice(size * here[0] // self.devices, size * (here[-1] + 1) // self.devices)


class _Placed(feeding.Batches):
    """Batches made in threads and put on the devices when they are asked for."""

    def __init__(self, spread, made, count=None):
        super().__init__(made, count)
        self._spread = spread

    def __getitem__(self, number):
        return self._spread.placed(*super().__getitem__(number))


def _check_hosts(built):
    """Refuses what one host alone would have to compute, or decide, in the middle of a training of all."""
    if task_of(built.model) in ("generation", "translation"):
        raise ZooError(
            f"{built.model.name} shows images after each epoch, which the model of several hosts cannot make on one. "
            "Train this recipe on one host"
        )
    looking = ("GradientStatistics", "LRFinder", "WeightAveraging", "GreedyPretraining")
    strategy.check_callbacks(built, looking, "looks at the model between two steps, which one host cannot do alone")
    for callback in built.callbacks:
        name = type(callback).__name__
        if name == "EarlyStopping" and getattr(callback, "every", None) is not None:
            raise ZooError("several hosts evaluate at the ends of epochs: leave out every= of EarlyStopping")
        if name == "StopAt" and callback.seconds is not None:
            raise ZooError("the clocks of several hosts differ: leave out seconds= of StopAt")
