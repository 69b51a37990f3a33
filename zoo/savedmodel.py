"""Export: the model that was trained, from raw input to named answers, as a file that needs no zoo.

Export adds an answer behind the logits (softmax and label names) and never anything before them: scaling is the
model's own first layer. No export is reported before it has answered like the model in a fresh process.
"""

import zipfile
from pathlib import Path

import numpy as np

from zoo import _fresh, _staging
from zoo._exported import FILES, Export, Exports, usage
from zoo.errors import ZooError, choose
from zoo.quiet import native_logs_hidden
from zoo.serving import formats as formats_of
from zoo.serving import serving as serving_of
from zoo.serving.base import DEFAULT

LABELS = "labels.txt"


def export(model, path, labels=None, format="savedmodel", batch=None, features=None, overwrite=False):
    """Writes a model for use elsewhere, and checks it there before saying so.

    The input is `image`, raw pixels as uint8 in any batch size, or `features`, float32. What is answered depends on the
    model's task (`zoo.tasks.task_of`):

    - classification: a SavedModel answers with `label`, `probability` (of that label) and `probabilities`; LiteRT and
      ONNX are numeric and answer with `probabilities`, their label names being stored inside the file and beside it in
      `PATH.labels.txt`;
    - regression: `value`;
    - autoencoding: `reconstruction` (uint8 pixels) and `squared_error` of each image, summed over pixels 0..1. The
      SavedModel has the signatures `serve` (the same), `encode` (`image` to `code`) and `decode` (`code` to `image`);
    - segmentation: a SavedModel takes images of any height and width and answers with `mask`, a class for each pixel,
      and `probabilities`; its signature `labels` names the classes. Numeric formats take the model's own size;
    - generation: the input is `z`, codes of float32, and `label`, int32, where the model takes classes; the answer is
      `image` (uint8 pixels), or `vector` where it makes vectors. The SavedModel has the signature `sample` (`n` and
      `seed`, and `label` where there are classes) to n of them: those of `zoo.adversarial.Adversarial.sample`; and
      `labels`, which names the classes;
    - translation: `translation` (uint8 pixels). Where the model takes images of any height and width, so does the
      SavedModel, and there is no LiteRT or ONNX file of it;
    - Q-learning: the input is `observation`, raw; the answer `action` (int64, the best one) and `q_values`, or `value`
      of a model of states. The SavedModel's signature `labels` names the actions.

    Each file is run in a new process that has no zoo and compared with `model`: probabilities to 1e-5 and a millionth
    of the largest logit (1e-4 where an image is put together from tiles), values, codes and squared errors to a
    hundred-thousandth, pixels to 1 of 255, and 0.05 to 0.1 for a model that computes in half precision. LiteRT and ONNX
    always compute in float32. A `keras` file is loaded again with `zoo.load`, and must give the same bits.

    The file appears under its name in one step, after the check. When anything fails, nothing is left.

    Args:
        model: a Functional `keras.Model` from one raw input to logits `(batch, classes)` or
            `(batch, height, width, classes)`, or to a dict whose `"logits"` they are; its other outputs serve training
            and are left out. Or an autoencoder, with models `encoder` and `decoder`; an adversarial network; or a model
            of images to images that ends in the layer `zoo.pixel_affine.Pixels`.
        path: where to write: a folder, or a file that ends in `.tflite`, `.onnx` or `.keras`.
        labels: names of the classes in the order of the logits; by default `"0"` to `"n-1"`.
        format: `"savedmodel"`, `"litert"`, `"onnx"` (needs the extra packages of `onnx`) or `"keras"`.
        batch: raw inputs to check with, such as test images, `(n, height, width, channels)`; by default random ones. A
            model that generates from noise is always checked with noise.
        features: names of the features of a table model, in order: LiteRT and ONNX files keep them, so that columns can
            be found by name later.
        overwrite: replace what is at `path`.

    Returns:
        An `Export`.

    Raises:
        ZooError: a format, path, model or labels that cannot work (before any work), a missing package, or a file
            that does not answer like the model.

    Example:
        >>> import tempfile, zoo
        >>> folder = tempfile.mkdtemp()
        >>> done = zoo.export(zoo.build("lenet"), folder + "/served")
        >>> done.inputs, sorted(done.outputs)
        ({'image': 'uint8 (n, 28, 28, 1)'}, ['label', 'probabilities', 'probability'])
    """
    path, beside = _paths(path, format)
    return _export(model, {format: path}, beside, labels, features, batch, overwrite)[format]


def export_all(model, folder, labels=None, formats=None, batch=None, features=None, overwrite=False):
    """Writes several formats into one folder, under the names of `FILES`, and checks them in one fresh process.

    Args:
        model, labels, batch, features, overwrite: as in `export`.
        folder: a folder, made when missing; the label names go to `labels.txt` in it.
        formats: names of `FILES`; by default what a run of the model's task leaves (`zoo.serving.formats`).

    Returns:
        `Exports`: a dict from format to `Export`, in the order of `formats`, whose text is for people.

    Raises:
        ZooError: as `export`; then none of the formats is written.
    """
    formats = formats_of(model) if formats is None else formats
    for format in formats:
        choose("format", format, FILES)
    folder = Path(folder).absolute()
    targets = {format: folder / FILES[format] for format in formats}
    return _export(model, targets, folder / LABELS, labels, features, batch, overwrite)


def export_run(run, format="savedmodel", to=None, overwrite=False):
    """Exports the model of a finished run: `zoo export RUN`.

    As `keras` it is written in layers of Keras alone (`zoo.plain.plain`): the run's own `model.keras` needs the zoo.

    Args:
        run: a run folder.
        format: as in `export`.
        to: the path; by default the format's name of `FILES` in the run folder, and `plain.keras` for `keras`.
        overwrite: as in `export`.

    Returns:
        An `Export`.

    Raises:
        ZooError: not a finished run, and as `export`.
    """
    from zoo import runs
    from zoo.loading import load

    choose("format", format, FILES)
    record = runs.read(run)
    model, copy = load(run), None
    if format == "keras":
        from zoo.plain import plain

        copy = plain(model)
    path = Path(to) if to else Path(run) / ("plain.keras" if format == "keras" else FILES[format])
    path, beside = _paths(path, format)
    done = _export(model, {format: path}, beside, record["labels"], record.get("features"), None, overwrite, copy)
    return done[format]


def _paths(path, format):
    """Where a file of a format goes, and the names of its labels.

    Raises:
        ZooError: no such format, or a path that does not end like one.
    """
    choose("format", format, FILES)
    path = Path(path).absolute()
    suffix = Path(FILES[format]).suffix
    if suffix and path.suffix != suffix:
        raise ZooError(f"the path of a {format} export ends in {suffix!r}. Received: path={str(path)!r}")
    return path, path.with_name(f"{path.name}.{LABELS}")


def _export(model, targets, labels_file, labels, features, batch, overwrite, copy=None):
    """Writes the targets, and checks them. `copy` is what goes into a `keras` file instead of the model."""
    copy = model if copy is None else copy
    served = [format for format in targets if format != "keras"]
    serving = serving_of(model, labels, features, served)
    batch = serving.example() if batch is None else serving.checked(batch)
    files = list(targets.values())
    if {"litert", "onnx"} & set(served):
        files.append(labels_file)
    _staging.refuse_existing(files, overwrite)
    with _staging.staged(files) as folder, _fresh.process(served) as check:
        staged = {format: folder / path.name for format, path in targets.items()}
        for format, path in staged.items():
            _write(serving, format, path, copy)
        if labels_file in files and serving.labels:
            (folder / labels_file.name).write_text("\n".join(serving.labels) + "\n", encoding="utf-8")
        requests = {format: serving.requests(batch, format) for format in served}
        answers = check(folder, {format: (staged[format], requests[format]) for format in served})
        differences = {format: serving.compare(format, requests[format], answers[format]) for format in served}
        if "keras" in staged:
            differences["keras"] = _compare_keras(copy, staged["keras"], serving.own(batch))
    return Exports(
        (
            format,
            Export(
                format,
                path,
                serving.inputs(format),
                serving.outputs(format),
                differences[format],
                usage(serving, format, path),
            ),
        )
        for format, path in targets.items()
    )


def _write(serving, format, path, copy):
    try:
        if format == "keras":
            copy.save(path)
        else:
            {"savedmodel": _savedmodel, "litert": _litert, "onnx": _onnx}[format](serving, path)
    except Exception as error:
        raise ZooError(
            f"the model cannot be written as {format}. {type(error).__name__}: {str(error)[:600]}"
        ) from error


def _signatures(serving, model, format):
    """The serving graph as `tf.function`s by signature, and a module that holds them and the variables they read.

    Not those of the model: no optimizer, no state of a dropout, no network that only training needs.
    """
    import tensorflow as tf

    found, module = {}, tf.Module()
    for name, (function, specs) in serving.functions(model, format).items():
        found[name] = tf.function(function, input_signature=specs, autograph=False)
    concrete = {name: function.get_concrete_function() for name, function in found.items()}
    module.functions, module.held = found, list(serving.held)
    # A list, because TensorFlow's variables cannot be hashed.
    read = [variable for each in concrete.values() for variable in each.graph.variables]
    module.read = list({id(variable): variable for variable in read}.values())
    return module, found, concrete


def _savedmodel(serving, path):
    import tensorflow as tf

    module, _, concrete = _signatures(serving, serving.graph, "savedmodel")
    tf.saved_model.save(module, str(path), signatures=concrete)


def _litert(serving, path):
    import tensorflow as tf

    from zoo.serving.recurrence import unrolled

    with unrolled(serving.float32):
        module, _, concrete = _signatures(serving, serving.float32, "litert")
    with native_logs_hidden():
        content = tf.lite.TFLiteConverter.from_concrete_functions([concrete[DEFAULT]], module).convert()
    path.write_bytes(content)
    if serving.names:
        # Where LiteRT's metadata keeps label files: a zip archive behind the model, which runtimes do not read.
        # `unzip -p model.tflite labels.txt` prints it.
        with zipfile.ZipFile(path, "a") as archive:
            for name, lines in serving.names.items():
                archive.writestr(zipfile.ZipInfo(f"{name}.txt"), "\n".join(lines) + "\n")


def _onnx(serving, path):
    from zoo.serving.onnx_file import write

    _, functions, concrete = _signatures(serving, serving.float32, "onnx")
    write(path, functions[DEFAULT], concrete[DEFAULT], serving.names)


def _compare_keras(model, path, batch):
    import keras

    from zoo.loading import load

    # Whoever exports a model of their own classes trusts them: they run already.
    again = load(path, custom_objects=keras.saving.get_custom_objects())
    answers = [keras.tree.flatten(each(batch, training=False)) for each in (model, again)]
    for old, new in zip(*answers, strict=True):
        if not np.array_equal(keras.ops.convert_to_numpy(old), keras.ops.convert_to_numpy(new)):
            raise ZooError("the .keras file does not answer like the model: a layer's get_config forgets something")
    return 0.0
