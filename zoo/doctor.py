"""What is looked at before epoch 1: mistakes that cost hours because nothing else notices them."""

from dataclasses import dataclass

import keras
import numpy as np

from callbacks import ReduceOnPlateau
from zoo.errors import ZooError
from zoo.execution import layers
from zoo.tasks import logits_of, task_of


@dataclass(frozen=True)
class Finding:
    """One thing that the doctor saw.

    Args:
        level: `"refuse"` (it is wrong), `"warn"` (it is doubtful) or `"note"` (it was chosen for you).
        what: what was seen.
        fix: what to do.
    """

    level: str
    what: str
    fix: str = ""

    def __str__(self):
        return f"{self.what}. {self.fix}".strip() if self.fix else self.what


def inspect(built):
    """Looks at a recipe before it is trained.

    Args:
        built: a `zoo.Recipe`.

    Returns:
        A list of `Finding`, the refusals first.
    """
    looks = (_logits, _labels, _scaling, _schedules, _frozen_normalisation, _objective)
    found = [finding for look in looks for finding in look(built)]
    return sorted(found, key=lambda finding: ("refuse", "warn", "note").index(finding.level))


def act(finding, tell):
    """Tells of a finding, or refuses.

    Raises:
        ZooError: the finding is a refusal.
    """
    if finding.level == "refuse":
        raise ZooError(str(finding))
    tell(f"{finding.level}: {finding}")


def _losses(model):
    """Pairs of an output tensor and the loss compiled for it."""
    loss = getattr(model, "loss", None)
    if isinstance(model.output, dict):
        named = loss if isinstance(loss, dict) else {name: loss for name in model.output}
        return [(tensor, named.get(name)) for name, tensor in model.output.items()]
    return [(model.output, loss)]


def _ends_in_probabilities(tensor):
    layer, _, place = tensor._keras_history
    if isinstance(layer, keras.Model):
        return _ends_in_probabilities(layer.outputs[place])
    activation = getattr(layer, "activation", None)
    names = {getattr(activation, "__name__", ""), type(layer).__name__.lower()}
    return bool(names & {"softmax", "sigmoid"})


def _logits(built):
    for tensor, loss in _losses(built.model):
        from_logits = getattr(loss, "from_logits", None)
        if isinstance(loss, str) and "crossentropy" in loss:
            from_logits = False
        if from_logits is None:
            continue
        probabilities = _ends_in_probabilities(tensor)
        if from_logits and probabilities:
            yield Finding(
                "refuse",
                "the model ends in probabilities, but its loss takes logits (from_logits=True)",
                "Leave the softmax out of the model: export adds it",
            )
        if not from_logits and not probabilities:
            yield Finding(
                "refuse",
                "the model ends in logits, but its loss takes probabilities (from_logits=False)",
                "Compile with keras.losses.SparseCategoricalCrossentropy(from_logits=True)",
            )


def _labels(built):
    if task_of(built.model) not in ("classification", "segmentation"):
        return
    targets = built.data.train.arrays[1]
    if targets.dtype.kind not in "iu":
        return
    units = logits_of(built.model).shape[-1]
    if units == 1:
        return
    names = built.data.labels
    low, high = int(targets.min()), int(targets.max())
    if low < 0 or high >= units:
        yield Finding(
            "refuse",
            f"the labels run from {low} to {high}, but the model has {units} outputs (0 to {units - 1})",
            f"Build it with num_classes={high + 1}" if low >= 0 else "Labels begin at 0",
        )
    elif names and len(names) != units:
        yield Finding(
            "refuse",
            f"the data names {len(names)} classes, but the model has {units} outputs",
            f"Build it with num_classes={len(names)}",
        )


def _scaling(built):
    train = built.data.train
    raw = train.arrays[0][:64]
    if raw.ndim == 4 and raw.shape[1:] != train.input_shape:
        raw = train.batch(0, 0)[0]  # windows of the images
    if built.model.built and raw.ndim == 4:
        # Noise is no image: there it is the discriminator that sees the pixels.
        network = built.model.discriminator if task_of(built.model) == "generation" else built.model
        seen = _first_weighted_input(network, raw) if len(network.inputs) == 1 else None
        if seen is None:
            return
        largest = float(np.abs(seen).max())
        # Pixels less their mean colour are as large, on purpose: Caffe's weights and the first AlexNet need them so.
        if largest > 20 and seen.min() >= 0:
            yield Finding(
                "refuse",
                f"pixels reach the first layer with weights unscaled (up to {largest:.0f})",
                "Begin the model with keras.layers.Rescaling(1 / 255); every zoo model does",
            )
        elif float(raw.max()) > 0 and np.ptp(seen) < 0.05:
            yield Finding(
                "refuse",
                f"pixels are scaled twice: they span only {np.ptp(seen):.4f} at the first layer with weights",
                "Give the model raw pixels, 0..255; it scales them itself",
            )


def _first_weighted_input(model, batch):
    """What the first layer with trainable weights receives for a raw batch, or None."""
    for layer in model.layers:
        if isinstance(layer, keras.Model) and layer.trainable_weights:
            return _first_weighted_input(layer, batch)
        if layer.trainable_weights:
            before = keras.Model(model.input, layer.input)
            return keras.ops.convert_to_numpy(before(batch.astype("float32"), training=False))
    return None


def _schedules(built):
    plateau = [
        c
        for c in built.callbacks
        if isinstance(c, keras.callbacks.ReduceLROnPlateau) and not isinstance(c, ReduceOnPlateau)
    ]
    curves = [c for c in built.callbacks if type(c).__name__ in ("Schedule", "LearningRateScheduler")]
    optimizer = built.model.optimizer
    carried = isinstance(getattr(optimizer, "_learning_rate", None), keras.optimizers.schedules.LearningRateSchedule)
    if plateau and (curves or carried):
        yield Finding(
            "refuse",
            "Keras' plateau callback and a schedule both set the learning rate, and each undoes the other",
            "callbacks.ReduceOnPlateau works together with a Schedule",
        )
    if carried:
        yield Finding(
            "warn",
            "the optimizer carries a schedule: nothing else can set its learning rate",
            "Compile with a float, and give the curve to callbacks.Schedule",
        )


def _frozen_normalisation(built):
    found = [layer for layer in layers(built.model) if isinstance(layer, keras.layers.BatchNormalization)]
    for layer in found:
        forced = any(node.arguments.kwargs.get("training") is True for node in layer._inbound_nodes)
        if forced and not layer.trainable:
            yield Finding(
                "refuse",
                f"the batch normalisation {layer.name} is frozen, but is called with training=True: its statistics "
                "still move",
                "Call it without the argument",
            )
    weighted = [layer for layer in layers(built.model) if layer.weights and not isinstance(layer, keras.Model)]
    for before, layer in zip(weighted, weighted[1:], strict=False):
        if layer in found and layer.trainable and not before.trainable:
            yield Finding(
                "warn",
                f"the batch normalisation {layer.name} is trained behind the frozen layer {before.name}: its "
                "statistics leave the ones that the frozen weights were trained with",
                "Freeze it too",
            )


def _objective(built):
    quantity, direction = built.objective
    if direction not in ("min", "max"):
        yield Finding("refuse", f"the objective's direction is {direction!r}", "It is 'min' or 'max'")
    monitors = {quantity, *(getattr(callback, "monitor", None) for callback in built.callbacks)}
    absent = sorted(name for name in monitors if name and name.startswith("val_"))
    if absent and built.data.validation is None:
        yield Finding(
            "refuse",
            f"{', '.join(absent)} is to be watched, but there is no validation data",
            "Split some off: images(..., validation=0.1)",
        )
