"""Whether a model can take some data: the check where the two meet."""

from zoo.data.shards import StoredImages
from zoo.errors import ZooError
from zoo.tasks import logits_of, task_of


def check_fits(data, model):
    """Checks that a model takes the data's examples, has an output for each of its classes, and a loss for its labels.

    Args:
        data: a `zoo.Data`.
        model: a `keras.Model` with one input.

    Raises:
        ZooError: an input of another shape, another number of logits than of classes, or a loss for integer labels
            where they are rows of probabilities, and the other way round; for a language model another vocabulary, or
            batches that do not follow each other where it carries states. The message has both, and what would work.

    Example:
        >>> check_fits(zoo.data.images("digits", 32), zoo.build("mlp", input_shape=(8, 8, 1), num_classes=10))
    """
    task = task_of(model)
    if task not in ("classification", "q_learning") and isinstance(data.train.arrays[0], StoredImages):
        raise ZooError(
            f"{model.name!r} is for {task}, whose measures and pictures compare all images: it needs them in memory. "
            "Streaming is for classifiers; take streaming=False"
        )
    if task in ("generation", "translation"):
        _check_images(data, model, task)
        return
    if task == "language":
        _check_texts(data, model)
        return
    if task == "q_learning":
        from zoo import envs, playing

        playing.check_fits(model, envs.describe(data.train.env))
        return
    takes, given = tuple(model.inputs[0].shape[1:]), tuple(data.train.input_shape)
    if len(takes) != len(given) or any(one not in (None, other) for one, other in zip(takes, given, strict=True)):
        raise ZooError(_message(model.name, takes, given))
    if data.labels is None:
        return
    outputs = logits_of(model).shape[-1]
    # Two classes of pixels may share one logit.
    if outputs != len(data.labels) and (task, outputs, len(data.labels)) != ("segmentation", 1, 2):
        raise ZooError(
            f"{model.name!r} answers with {outputs} logits, and the data has {len(data.labels)} classes "
            f"({', '.join(data.labels[:10])}{', ...' if len(data.labels) > 10 else ''}). "
            f"Build it with num_classes={len(data.labels)}"
        )
    if task == "segmentation":
        answers, masks = tuple(logits_of(model).shape[1:3]), tuple(data.train.element_spec[1][0][1:3])
        if any(one not in (None, other) for one, other in zip(answers, masks, strict=True)):
            raise ZooError(
                f"{model.name!r} answers for {answers} pixels, and the masks have {masks}. For an unpadded network cut "
                "windows with a margin: zoo.data.paired.crop(572, margin=92)"
            )
    _check_losses(data, model)


def _check_texts(data, model):
    """Raises unless a language model's vocabulary is the data's, and what it carries are the data's rows."""
    known = data.statistics.get("vocabulary")
    if known is None or not hasattr(data.train, "text_symbols"):
        raise ZooError(f"{model.name!r} is a language model and reads texts, as zoo.data.text makes them")
    if known != model.symbols.vocabulary:
        raise ZooError(
            f"{model.name!r} knows {len(model.symbols.vocabulary)} symbols, and they are not the data's {len(known)}. "
            "Build it with vocabulary=data.statistics['vocabulary']"
        )
    if not model.carry:
        return
    if data.train.order != "consecutive":
        raise ZooError(
            f"{model.name!r} carries its states from batch to batch, and slices in random order do not follow each "
            "other. Take order='consecutive', or build it with carry=0"
        )
    for part, stream in data.parts.items():
        if stream.batch_size != model.carry:
            raise ZooError(
                f"{model.name!r} carries the states of {model.carry} texts, and a batch of the {part} data has "
                f"{stream.batch_size}. Build it with carry={stream.batch_size}"
            )


def _check_images(data, model, task):
    """Raises unless a model that makes images makes those of the data."""
    spec = data.train.element_spec
    x, y = (tuple(part[0][1:]) for part in spec[:2])
    made = tuple(model.outputs[0].shape[1:])
    pairs = [("takes", tuple(model.inputs[0].shape[1:]), x)] if task == "translation" else []
    pairs.append(("makes", made, x if task == "generation" else y))
    for verb, own, given in pairs:
        if len(own) != len(given) or any(one not in (None, other) for one, other in zip(own, given, strict=True)):
            name = "image_shape" if task == "generation" else "input_shape"
            raise ZooError(
                f"{model.name!r} {verb} images of {_words(own)}, and the data's are {_words(given)}. Build the model "
                f"for them with {name}, or bring the images to its form with size and channels"
            )
    classes, known = getattr(model, "classes", None), len(data.labels or ())
    if classes and classes != known:
        raise ZooError(
            f"{model.name!r} is told one of {classes} classes, and the data has {known}. Build it with "
            f"num_classes={known}"
        )


def _check_losses(data, model):
    element, losses = data.train.element_spec, getattr(model, "loss", None)
    targets = element[1] if isinstance(element, tuple) and len(element) > 1 else {}
    for name, loss in losses.items() if isinstance(losses, dict) else [(None, losses)]:
        kind = (loss if isinstance(loss, str) else getattr(loss, "__name__", type(loss).__name__)).replace("_", "")
        if kind.lower() not in ("categoricalcrossentropy", "sparsecategoricalcrossentropy"):
            continue
        output = model.outputs[0] if len(model.outputs) == 1 else dict(model.output).get(name)
        target = targets.get(name) if isinstance(targets, dict) else targets
        if output is None or target is None:
            continue
        rows = len(target[0]) == len(output.shape) and target[0][-1] == output.shape[-1]
        if rows == kind.lower().startswith("sparse"):
            have, right = ("rows of probabilities", "") if rows else ("integer labels", "Sparse")
            raise ZooError(
                f"the data's labels are {have}, of the shape {target[0]}, and {kind} takes the other kind. "
                f"Compile with keras.losses.{right}CategoricalCrossentropy(from_logits=True), or with "
                "zoo.losses.SmoothedCrossentropy()"
            )


def _message(name, takes, given):
    kinds = {1: "feature vectors of length", 3: "images of"}
    kind, other = (kinds.get(len(shape), "inputs of shape") for shape in (takes, given))
    what = _words(given) if kind == other else f"{other} {_words(given)}"
    text = f"{name!r} takes {kind} {_words(takes)}, and the data's are {what}. "
    build = f"Build the model for them with input_shape={given}"
    change = []
    if len(takes) == len(given) == 3:
        height, width, channels = takes
        if (height, width) != given[:2] and None not in (height, width):
            change.append(f"--size {height}" if height == width else f"size=({height}, {width})")
        if channels not in (None, given[2]):
            change.append(f"--channels {channels}")
    return f"{text}{build}, or bring the images to its form with {' '.join(change)}" if change else text + build


def _words(shape):
    return " x ".join("any" if side is None else str(side) for side in shape)
