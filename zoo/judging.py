"""A judge: a classifier of the zoo, whose features and answers say how good images are that another model made."""

import contextlib
import os
import random
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from zoo import loading, registry, runs
from zoo.errors import ZooError, require, suggest
from zoo.tasks import logits_of
from zoo.weights.shipped import SHIPPED

BATCH = 256


@dataclass(frozen=True)
class Judge:
    """A classifier that is asked what it sees in images, and by which features.

    Args:
        model: a `keras.Model` from raw pixels to two tensors: features (batch, d) and logits (batch, classes).
        layer: name of the layer that gives the features.
        name: the sentence that names them; it belongs beside every number that was measured by them.
        labels: names of the classes, in the order of the logits.
    """

    model: keras.Model
    layer: str
    name: str
    labels: tuple

    def look(self, images):
        """Features and classes of images, in one pass.

        Args:
            images: raw pixels 0..255, uint8 or float (n, height, width, channels), of the size that the judge takes.

        Returns:
            A float32 array (n, d) and an array (n,) of class numbers.

        Raises:
            ZooError: images of another shape, or none.
        """
        images = np.asarray(images)
        self.check(images)
        features, classes = [], []
        for first in range(0, len(images), BATCH):
            # Called as it is: for so small a network tracing gains nothing.
            found, logits = self.model(images[first : first + BATCH], training=False)
            features.append(keras.ops.convert_to_numpy(keras.ops.cast(found, "float32")))
            classes.append(keras.ops.convert_to_numpy(logits).argmax(-1))
        return np.concatenate(features), np.concatenate(classes)

    def features(self, images):
        """The features of images: see `look`."""
        return self.look(images)[0]

    def classes(self, images):
        """The classes of images: see `look`."""
        return self.look(images)[1]

    def check(self, images):
        """Raises a ZooError unless this is an array of images that the judge takes."""
        takes = self.model.input_shape[1:]
        shape = np.shape(images)
        same = len(shape) == len(takes) + 1 and all(a in (None, b) for a, b in zip(takes, shape[1:], strict=True))
        if not same or not shape[0]:
            sizes = ", ".join("any" if size is None else str(size) for size in takes)
            raise ZooError(
                f"the judge ({self.name}) takes images (n, {sizes}), one at least. Received: {shape}. The run folder "
                "of a classifier of images of this size makes a judge of them"
            )


def judge(source):
    """A trained classifier as the judge of images.

    Its features are what its last dense layer is given. Whatever is measured by them depends on the classifier: numbers
    of different judges cannot be compared, and none of them is the Inception distance of the literature.

    The random state of the process is left as it was, and the shipped judges compute in float32 whatever the policy is.

    Args:
        source: the name of weights that the zoo brings along for a classifier (`zoo.weights.shipped.SHIPPED`), such as
            "cifar10"; or a run folder or `.keras` file of any classifier that ends in a dense layer, trained by
            preference on the very images whose likes are judged; or a `Judge`, which is returned.

    Returns:
        A `Judge`.

    Raises:
        ZooError: an unknown name, what cannot be loaded, or a model that is no such classifier.

    Example:
        >>> judge("cifar10").name
        "resnet20 trained on cifar10, layer 'average' (64 features)"
    """
    if isinstance(source, Judge):
        return source
    works = "the name of shipped weights, a run folder, a .keras file or a Judge"
    require(isinstance(source, str | os.PathLike) and str(source), "judge", source, works)
    with _undisturbed():
        for (model, weights), row in SHIPPED.items():
            if weights == source and registry.entry(model).task == "classification":
                built = registry.build(model, weights=weights)
                return _judge(built, f"{model} trained on {weights}", row.labels)
        path = Path(source)
        if not path.exists() and path.suffix == "" and len(path.parts) == 1:
            known = sorted({weights for model, weights in SHIPPED if registry.entry(model).task == "classification"})
            raise ZooError(
                f"there is no judge named {str(source)!r}.{suggest(source, known)} Shipped are: "
                f"{', '.join(map(repr, known))}; the run folder or .keras file of a classifier is a judge, too"
            )
        model = loading.load(path)
        labels = runs.read(path)["labels"] if (path / "recipe.json").is_file() else None
        return _judge(model, f"{model.name} of {path}", labels)


def _judge(model, name, labels):
    features, logits = _ends(model)
    count = logits.shape[-1]
    layer = features._keras_history.operation.name
    return Judge(
        keras.Model(model.inputs[0], [features, logits], name=f"{model.name}_judge"),
        layer,
        f"{name}, layer {layer!r} ({features.shape[-1]} features)",
        tuple(labels) if labels and len(labels) == count else tuple(map(str, range(count))),
    )


def _ends(model):
    """What the last dense layer of a classifier is given, and what it gives."""
    logits = output = logits_of(model)
    operation, node, _ = output._keras_history
    while isinstance(operation, keras.layers.Identity | keras.layers.Activation | keras.layers.Softmax):
        logits = operation._inbound_nodes[node].input_tensors[0]
        operation, node, _ = logits._keras_history
    dense = isinstance(operation, keras.layers.Dense) and len(logits.shape) == 2 and logits.shape[-1] >= 2
    if not dense or len(model.inputs) != 1:
        raise ZooError(
            "a judge is a classifier of images with one input, whose logits come from a Dense layer. Received: "
            f"{model.name}, with {len(model.inputs)} input(s), that ends in a {type(operation).__name__} of shape "
            f"{tuple(output.shape)}"
        )
    # By the node, not by `operation.input`: a layer that is used twice has no one input.
    return operation._inbound_nodes[node].input_tensors[0], logits


@contextlib.contextmanager
def _undisturbed():
    """Keeps what is made inside from changing what a training draws, and from computing in its half precision."""
    state, policy = random.getstate(), keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(policy)
        random.setstate(state)
