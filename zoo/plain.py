"""A network of the zoo in layers of Keras alone, for those who do not have the zoo."""

import keras
import numpy as np

from zoo.bilinear_upsampling import BilinearUpSampling2D
from zoo.errors import ZooError
from zoo.grouped_convolution import GroupedConv2D
from zoo.leaky_relu import LeakyReLU
from zoo.lstm import LSTM
from zoo.normalization import BatchNormalization
from zoo.pixel_affine import PixelAffine, Pixels

# Layers that are Keras' own, computed in another way: configuration and weights are the same.
REPLACED = {
    BatchNormalization: keras.layers.BatchNormalization,
    GroupedConv2D: keras.layers.Conv2D,
    BilinearUpSampling2D: keras.layers.UpSampling2D,
    LSTM: keras.layers.LSTM,
    LeakyReLU: keras.layers.LeakyReLU,
    Pixels: keras.layers.Rescaling,
}
# Sums that are taken in another order differ by this, as a share of the largest output.
TOLERANCE = 1e-4


def plain(model):
    """Makes a copy of a network that opens with Keras alone.

    The zoo's batch normalisation and grouped convolution become Keras' own; what scales pixels becomes a `Rescaling`
    by its present numbers. What only training needs, such as a discriminator, is left out. The copy is compared with
    the network on random inputs.

    Args:
        model: a Functional `keras.Model`.

    Returns:
        A `keras.Model` with the same weights, not compiled.

    Raises:
        ZooError: the network has layers or functions that Keras does not have, or the copy answers differently.

    Example:
        >>> copy = plain(zoo.build("resnet20", blocks=1, shortcut="B"))
        >>> type(copy.get_layer("stem_norm")) is keras.layers.BatchNormalization
        True
    """
    constants = set()  # variables whose values the copy has in its configuration

    def clone(layer):
        if isinstance(layer, PixelAffine):
            constants.update(id(variable) for variable in layer.weights)
            numbers = {name: np.array(getattr(layer, name)).tolist() for name in ("scale", "offset")}
            return keras.layers.Rescaling(**numbers, name=layer.name, dtype=layer.dtype_policy)
        return REPLACED.get(type(layer), type(layer)).from_config(layer.get_config())

    # Of a class of the zoo's own only the graph is copied.
    graph = keras.Model(model.input, model.output, name=model.name)
    copy = keras.models.clone_model(graph, clone_function=clone, recursive=True)
    own = sorted(set(_registered(keras.saving.serialize_keras_object(copy))))
    if own:
        raise ZooError(
            f"{model.name} cannot be written in layers of Keras alone: it has {', '.join(own)}. A SavedModel, LiteRT "
            "or ONNX file needs no zoo either; model.keras in the run folder opens behind `import zoo`"
        )
    copy.set_weights([variable.numpy() for variable in graph.weights if id(variable) not in constants])
    random = np.random.default_rng(0)
    batch = keras.tree.map_structure(lambda each: _drawn(random, each), graph.input)
    for old, new in zip(*(keras.tree.flatten(each(batch, training=False)) for each in (model, copy)), strict=True):
        old, new = (np.asarray(keras.ops.convert_to_numpy(keras.ops.cast(each, "float32"))) for each in (old, new))
        if not np.allclose(old, new, rtol=0, atol=TOLERANCE * max(1.0, np.abs(old).max())):
            raise ZooError(f"the copy of {model.name} in layers of Keras differs by {np.abs(old - new).max():.2g}")
    return copy


def _drawn(random, each):
    """Two random examples for an input: pixels, numbers, or the first two classes."""
    shape = (2, *(side or 64 for side in each.shape[1:]))
    if "int" in each.dtype:
        return random.integers(0, 2, shape).astype(each.dtype)
    return (random.integers(0, 256, shape) if len(shape) == 4 else random.standard_normal(shape)).astype("float32")


def _registered(config):
    """The names of what the zoo registered, at any depth of a configuration."""
    if isinstance(config, dict):
        name = config.get("registered_name")
        if isinstance(name, str) and name.startswith("zoo>"):
            yield name.removeprefix("zoo>")
        config = list(config.values())
    if isinstance(config, list):
        for part in config:
            yield from _registered(part)
