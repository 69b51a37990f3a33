"""The end that AlexNet and VGG share: two wide dense layers with dropout, and the output."""

import keras

from zoo.models import _inputs


def classifier(inputs, x, num_classes, include_top, pooling, name, dense, dropout, hidden, output):
    """Ends a convolutional network: through dense layers into logits, or in features.

    Args:
        inputs: the model's input.
        x: the last feature maps (batch, height, width, channels).
        num_classes, include_top, pooling, name: as in `_inputs.classifier`.
        dense: integer >= 1, the units of each of the two hidden layers.
        dropout: number >= 0 and < 1, the part of the hidden units that is dropped in training.
        hidden, output: dicts, more arguments of the hidden and of the output layer, such as initialisers.

    Returns:
        A `keras.Model`.

    Raises:
        ZooError: a value that is not named above, or a pooling with the top.
    """
    _inputs.integer("dense", dense, 1)
    _inputs.number("dropout", dropout, below=1)
    _inputs.check_top(num_classes, include_top, pooling)
    if not include_top:
        return _inputs.classifier(inputs, x, num_classes, include_top, pooling, name)
    x = keras.layers.Flatten(name="flatten")(x)
    for layer in ("fc1", "fc2"):
        x = keras.layers.Dense(dense, name=layer, **hidden)(x)
        x = keras.layers.ReLU(name=f"{layer}_relu")(x)
        if dropout:
            x = keras.layers.Dropout(dropout, name=f"{layer}_dropout")(x)
    x = keras.layers.Dense(num_classes, dtype="float32", name="output", **output)(x)
    return keras.Model(inputs, x, name=name)
