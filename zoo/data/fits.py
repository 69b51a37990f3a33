"""Whether a model can take some data: the check where the two meet."""

from zoo.errors import ZooError


def check_fits(data, model):
    """Checks that a model takes the data's examples and has an output for each of its classes.

    Args:
        data: a `zoo.Data`.
        model: a `keras.Model` with one input.

    Raises:
        ZooError: an input of another shape, or another number of logits than of classes; the message has both, and what
            would work.

    Example:
        >>> check_fits(zoo.data.images("digits", 32), zoo.build("mlp", input_shape=(8, 8, 1), num_classes=10))
    """
    takes, given = tuple(model.inputs[0].shape[1:]), tuple(data.train.input_shape)
    if len(takes) != len(given) or any(one not in (None, other) for one, other in zip(takes, given, strict=True)):
        raise ZooError(_message(model.name, takes, given))
    if data.labels is None:
        return
    output = model.output["logits"] if len(model.outputs) > 1 else model.outputs[0]
    outputs = output.shape[-1]
    if outputs != len(data.labels):
        raise ZooError(
            f"{model.name!r} answers with {outputs} logits, and the data has {len(data.labels)} classes "
            f"({', '.join(data.labels[:10])}{', ...' if len(data.labels) > 10 else ''}). "
            f"Build it with num_classes={len(data.labels)}"
        )


def _message(name, takes, given):
    def words(shape):
        return " x ".join("any" if side is None else str(side) for side in shape)

    kinds = {1: "feature vectors of length", 3: "images of"}
    kind, other = (kinds.get(len(shape), "inputs of shape") for shape in (takes, given))
    what = words(given) if kind == other else f"{other} {words(given)}"
    text = f"{name!r} takes {kind} {words(takes)}, and the data's are {what}. "
    build = f"Build the model for them with input_shape={given}"
    change = []
    if len(takes) == len(given) == 3:
        height, width, channels = takes
        if (height, width) != given[:2] and None not in (height, width):
            change.append(f"--size {height}" if height == width else f"size=({height}, {width})")
        if channels not in (None, given[2]):
            change.append(f"--channels {channels}")
    return f"{text}{build}, or bring the images to its form with {' '.join(change)}" if change else text + build
