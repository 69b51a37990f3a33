"""The zoo's side of `convnets.py`: what it runs for a contender of the zoo.

python benchmarks/convnets_zoo.py train resnet20 float32 128 FOLDER
"""

import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import op_times
import rounds
import workers
from convnets import IMAGES

PACKAGES = ["tensorflow", "keras"]
LEARNED = ("kernel", "bias", "gamma", "beta", "moving_mean", "moving_variance")
PRECISIONS = {"float32": "float32", "bfloat16": "mixed_bfloat16"}
PROFILED = 5


def reference(name, _, batch, folder):
    """Writes what all contenders start from: weights, and what the network answers with them."""
    import zoo

    model = zoo.build(name)
    random = np.random.default_rng(0)
    weights = {v.path: v for v in model.variables if v.path.rpartition("/")[2] in LEARNED}
    for variable in weights.values():
        if len(variable.shape) == 1:
            # As they start, ones and zeros, a wrong order or a wrong epsilon would not be seen.
            variable.assign(variable.numpy() + random.uniform(-0.2, 0.2, variable.shape))
    pixels = random.integers(0, 256, (2, *IMAGES[name][0]), np.uint8)
    np.savez(
        folder / f"{name}.npz",
        parameters=sum(v.numpy().size for v in model.trainable_variables),
        pixels=pixels,
        logits=model(pixels, training=False).numpy(),
        **{path: variable.numpy() for path, variable in weights.items()},
    )
    workers.answer({})


def train(name, precision, batch, folder):
    """What `zoo train` does: stream, schedule, history, TensorBoard, checkpoints."""
    measured(name, precision, batch, folder, workers.Turns(batch, PACKAGES))


def profile(name, precision, batch, folder):
    """The same, but some steps are traced instead of timed."""
    after = op_times.Profiled(folder / f"profile-{precision}", PROFILED)
    measured(name, precision, batch, folder, after)
    workers.answer({"kinds": after.kinds})


def measured(name, precision, batch, folder, after):
    from clock import Steps

    import zoo

    Steps.after = after
    zoo.train(
        str(Path(__file__).with_name("random_convnet.py")),
        folder=folder / f"{name}-{precision}",
        export=False,
        pictures=False,
        verbose=0,
        precision=PRECISIONS[precision],
        network=name,
        batch_size=batch,
    )


def infer(name, form, batch, folder):
    """Raw uint8 images to probabilities, through files that the zoo exports.

    Args:
        name: the network.
        form: "litert" (`zoo.Predictor`), "savedmodel", or "savedmodel bfloat16".
        batch: images a call.
        folder: as in `reference`.
    """
    import keras

    import zoo

    keras.config.set_dtype_policy("mixed_bfloat16" if "bfloat16" in form else "float32")
    model = zoo.build(name)
    keras.config.set_dtype_policy("float32")
    with np.load(folder / f"{name}.npz") as weights:
        for variable in model.variables:
            if variable.path in weights:
                variable.assign(weights[variable.path])
    images = np.random.default_rng(0).integers(0, 256, (batch, *IMAGES[name][0]), np.uint8)
    if form == "litert":
        path = folder / f"{name}-{batch}.tflite"
        zoo.export(model, path, format="litert")
        predictor = zoo.Predictor(path, threads=rounds.cores())
        loop(lambda: predictor.outputs(images), batch, ["ai-edge-litert"])
        return
    import tensorflow as tf

    path = folder / f"{name}-{batch}-{form}"
    zoo.export(model, path)
    served = tf.saved_model.load(str(path)).signatures["serving_default"]
    loop(lambda: served(image=tf.constant(images))["probabilities"].numpy(), batch, PACKAGES)


def loop(call, batch, packages):
    after = workers.Turns(batch, packages)
    wanted = True
    while wanted:
        call()
        wanted = after()


if __name__ == "__main__":
    what, name, form, batch, folder = sys.argv[1:]
    workers.begin()
    jobs = {"reference": reference, "train": train, "infer": infer, "profile": profile}
    jobs[what](name, form, int(batch), Path(folder))
