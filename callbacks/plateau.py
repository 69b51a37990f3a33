"""A learning rate that falls where progress stops, alone or on top of a curve."""

import keras
from keras import ops

from callbacks import step
from callbacks.schedule import Schedule


class ReduceOnPlateau(keras.callbacks.ReduceLROnPlateau):
    """Keras' `ReduceLROnPlateau`, which works together with a `Schedule` of the learning rate.

    Where a schedule sets the rate, the rest of its curve is multiplied by the factor: Keras' callback would be undone
    at the next step. Alone it is Keras' callback. Either way it goes on exactly after a checkpoint.

    Args:
        **arguments: those of `keras.callbacks.ReduceLROnPlateau`: `monitor`, `factor`, `patience`, `min_delta`,
            `cooldown`, `min_lr` and so on. `min_lr` is the lowest rate that a reduction may lead to at its moment; what
            the curve does afterwards is its own.

    Example:
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> model.compile(keras.optimizers.SGD(0.0), "mse")
        >>> calls = [Schedule("learning_rate", constant(1e-9)), ReduceOnPlateau(monitor="loss", factor=0.5, patience=1)]
        >>> history = model.fit(np.ones((4, 2)), np.ones((4, 1)), epochs=4, verbose=0, callbacks=calls)
        >>> [f"{rate:.2e}" for rate in history.history["learning_rate"]]
        ['1.00e-09', '1.00e-09', '5.00e-10', '2.50e-10']
    """

    def _reduce_optimizer_lr(self, optimizer, epoch, name=""):
        # A schedule may have been reduced in this training before; without one the rate itself is what is reduced.
        scheduled = [other for other in step.others(self, Schedule) if other.variable() is optimizer.learning_rate]
        if not scheduled:
            return super()._reduce_optimizer_lr(optimizer, epoch, name)
        rate = float(ops.convert_to_numpy(optimizer.learning_rate))
        if rate <= self.min_lr:
            return False
        factor = max(self.factor, self.min_lr / rate)
        scheduled[0].rescale(scheduled[0].factor * factor)
        if self.verbose:
            print(f"\nEpoch {epoch + 1}: the rest of the learning rate's curve is multiplied by {factor:.4g}.")
        return True
