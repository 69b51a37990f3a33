"""What a model is for, read from its graph: models of the user's own have no entry in the catalogue."""

from zoo.errors import ZooError


def task_of(model):
    """The task of a model, which decides what its data must be, what is drawn of it and what its export answers.

    Args:
        model: a built Functional `keras.Model`.

    Returns:
        - `"autoencoding"`: it has an `encoder` and a `decoder`;
        - `"generation"`: noise in, an image or a vector out, and a `discriminator`;
        - `"translation"`: an image in, the pixels of an image out, from the layer `zoo.pixel_affine.Pixels`;
        - `"language"`: logits for each symbol of a text, and a `stepper`;
        - `"transduction"`: a text in, another one out, which `transduce` writes;
        - `"q_learning"`: an observation in, values of actions out, with a `target` network;
        - `"segmentation"`: logits for each pixel;
        - `"classification"`: logits, two or more; `"regression"`: one number.

    Example:
        >>> task_of(zoo.build("lenet")), task_of(zoo.build("vae"))
        ('classification', 'autoencoding')
    """
    if all(hasattr(model, part) for part in ("encoder", "decoder")):
        return "autoencoding"
    if hasattr(model, "stepper"):
        return "language"
    if hasattr(model, "transduce"):
        return "transduction"
    if all(hasattr(model, part) for part in ("target", "actions")):
        return "q_learning"
    if _makes_pixels(model) and len(model.inputs[0].shape) == 4:
        return "translation"
    if hasattr(model, "discriminator"):
        return "generation"
    logits = logits_of(model)
    if len(logits.shape) == 4:
        return "segmentation"
    return "classification" if logits.shape[-1] != 1 else "regression"


def _makes_pixels(model):
    """Whether the output comes from a `Pixels` layer, maybe inside a model inside."""
    last = model.outputs[0]._keras_history.operation
    # By its name: this module imports no Keras.
    return _makes_pixels(last) if hasattr(last, "outputs") else type(last).__name__ == "Pixels"


def logits_of(model):
    """The output that counts: the one named `"logits"` where there are several.

    Args:
        model: a built Functional `keras.Model`.

    Returns:
        A symbolic tensor.

    Raises:
        ZooError: several outputs, and none of that name.
    """
    # A Sequential has outputs, and no `output` before it is called.
    output = model.output if len(model.outputs) > 1 else None
    if isinstance(output, dict) and "logits" not in output:
        raise ZooError(f"the model's outputs are named {', '.join(output)}: the one that counts must be named 'logits'")
    return output["logits"] if isinstance(output, dict) else model.outputs[0]
