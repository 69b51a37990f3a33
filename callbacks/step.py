"""What several callbacks do to the training step of one fit: they wrap it, in the graph, and leave the model as it was.

Keras calls a callback once an execution, which may be many steps. What has to happen at every step goes into the step
itself: `model.train_step` is wrapped, the training function is compiled, and the attribute is deleted at once. After
Ctrl-C, which skips `on_train_end`, the next fit finds the model's own step, too.

On JAX a callback must not read `self.model` inside the step: Keras then writes the state of the fit back.
"""

import weakref

import keras

# The callbacks that wrap the step of the fit under way, by model.
_active = weakref.WeakKeyDictionary()


def join(callback):
    """Announces a callback that wraps the step; called in its `on_train_begin`.

    Args:
        callback: a `keras.callbacks.Callback` with a method `wrap(inner)`, which is given a training step and returns
            one of the same arguments. The callback that joined last is the outermost; one with a true attribute
            `innermost` stands behind all others.
    """
    # `params` is one object a fit: what another fit left behind is dropped here.
    held = [other for other in _active.get(callback.model, []) if other.params is callback.params]
    _active[callback.model] = [*(other for other in held if other is not callback), callback]
    callback._step_is_new = True


def install(callback):
    """Compiles the step with all that joined; called in each one's `on_epoch_begin`, done once, by the last."""
    if _active[callback.model][-1] is callback and callback._step_is_new:
        rebuild(callback.model)
    callback._step_is_new = False


def leave(callback):
    """Gives the model its own step back; called in `on_train_end`."""
    if _active.pop(callback.model, None) is not None:
        _forget(callback.model)


def others(callback, kind):
    """The callbacks of a kind that wrap the step of the same fit.

    Args:
        callback: one that runs in the fit; it need not have joined.
        kind: their class.

    Returns:
        A list of callbacks.
    """
    held = _active.get(callback.model, [])
    return [other for other in held if isinstance(other, kind) and other.params is callback.params]


def rebuild(model):
    """Compiles the training function anew, in the middle of a fit: what it reads at compilation has changed."""
    step = model.train_step
    for callback in sorted(_active.get(model, []), key=lambda each: not getattr(each, "innermost", False)):
        step = callback.wrap(step)
    model.train_step = step
    try:
        type(model).make_train_function(model, force=True)
    finally:
        del model.train_step

    def make_train_function(force=False):
        # The next fit asks for its function here, where Ctrl-C skipped the end of this one.
        _forget(model)
        model.make_train_function(force=True)

    model.make_train_function = make_train_function


def _forget(model):
    vars(model).pop("make_train_function", None)
    model.train_function = None


def updates(model):
    """Optimizer steps in one step of the model: more than one where its `train_step` holds a loop of them."""
    return getattr(model, "updates_per_step", 1)


def iterations(model):
    """The variable that counts the optimizer's steps.

    A loss-scaling optimizer counts in the one inside; with gradient accumulation the public count is divided.
    """
    optimizer = model.optimizer
    while isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        optimizer = optimizer.inner_optimizer
    return optimizer._iterations
