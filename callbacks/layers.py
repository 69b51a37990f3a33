"""What several callbacks ask of a model: its layers by name, at any depth, and its optimizers."""

import keras


def named(model, prefix=""):
    """The layers of a model and of the models in it.

    Args:
        model: a `keras.Model`.
        prefix: what stands in front of each name.

    Yields:
        Pairs of a name and a layer or model; the name of one in a model in the model is `"outer/inner"`.
    """
    for layer in model.layers:
        yield prefix + layer.name, layer
        if isinstance(layer, keras.Model):
            yield from named(layer, f"{prefix}{layer.name}/")


def optimizers(model):
    """All optimizers that a model holds: a GAN has two."""
    return [held for held in vars(model).values() if isinstance(held, keras.optimizers.Optimizer)]
