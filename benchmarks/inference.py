"""Inference speed of LeNet on a CPU, one image and 256: what a user of the zoo gets against Keras and PyTorch.

python benchmarks/inference.py --csv inference.csv

Every contender takes raw uint8 images to probabilities, in a process of its own; they take turns.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import rounds

HERE = Path(__file__).parent
KERAS = ("model.predict", "predict_on_batch", "model(x)", "tf.function", "savedmodel")
TORCH = ("torch eager", "torch compile", "torch frozen")
ALL = ("zoo", "litert", *KERAS, *TORCH)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 256], help="images a call")
    parser.add_argument("--contender", nargs="+", choices=ALL, default=ALL, help="who takes part")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each contender")
    parser.add_argument("--seconds", type=float, default=1.0, help="how long each turn is measured")
    parser.add_argument("--torch-python", default=sys.executable, help="a Python that has PyTorch, if not this one")
    parser.add_argument("--csv", help="file to write the table to")
    parser.add_argument("--turn", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    if arguments.turn:
        turn(arguments.contender[0], arguments.batch[0], arguments.seconds, Path(arguments.turn))
        return
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(command("zoo", 0, 0, folder, ""), check=True)
        for batch in arguments.batch:
            print(f"\nbatch {batch}")
            turns = {
                name: rounds.process(command(name, batch, arguments.seconds, folder, arguments.torch_python))
                for name in arguments.contender
            }
            rows += rounds.table(rounds.take_turns(turns, arguments.rounds), "zoo", batch=batch)
    rounds.show(rows, arguments.csv)


def command(contender, batch, seconds, folder, torch_python):
    """The command line of one turn; batch 0 writes the exports that the turns need."""
    if contender in TORCH:
        mode = contender.removeprefix("torch ")
        return [torch_python, str(HERE / "lenet_torch.py"), "infer", mode, str(batch), str(seconds)]
    return [
        *(sys.executable, str(HERE / "inference.py"), "--turn", str(folder)),
        *("--contender", contender, "--batch", str(batch), "--seconds", str(seconds)),
    ]


def turn(contender, batch, seconds, folder):
    """One turn, in this process."""
    import numpy as np

    if not batch:
        export(folder)
        return
    images = np.random.default_rng(0).integers(0, 256, (batch, 28, 28, 1), np.uint8)
    call, packages = (zoo_call if contender in ("zoo", "litert") else keras_call)(contender, images, folder)
    if call().shape != (batch, 10):
        raise ValueError(f"{contender} does not answer with {batch} x 10 probabilities")
    rates, meter = rounds.timed(call, batch, seconds)
    rounds.report(rates, meter, packages)


def export(folder):
    """Writes LeNet as LiteRT, SavedModel and Keras files; how well it is trained changes no speed."""
    import zoo

    model = zoo.build("lenet")
    zoo.export(model, folder / "model.tflite", format="litert")
    zoo.export(model, folder / "savedmodel")
    zoo.export(model, folder / "model.keras", format="keras")


def zoo_call(contender, images, folder):
    """`zoo.Predictor`, which is what `zoo predict` uses; "litert" is the interpreter inside, without any check."""
    import zoo

    if contender == "zoo":
        predictor = zoo.Predictor(folder / "model.tflite")
        return lambda: predictor.outputs(images), ["ai-edge-litert"]
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(folder / "model.tflite"), num_threads=1 if len(images) == 1 else rounds.cores())
    source, target = (d[0]["index"] for d in (interpreter.get_input_details(), interpreter.get_output_details()))
    interpreter.resize_tensor_input(source, images.shape)
    interpreter.allocate_tensors()

    def call():
        interpreter.set_tensor(source, images)
        interpreter.invoke()
        return interpreter.get_tensor(target)

    return call, ["ai-edge-litert"]


def keras_call(contender, images, folder):
    """The ways that Keras and TensorFlow offer."""
    import keras
    import tensorflow as tf

    import zoo

    packages = ["tensorflow", "keras"]
    if contender == "savedmodel":
        served = tf.saved_model.load(str(folder / "savedmodel"))
        answer = served.signatures["serving_default"]
        return lambda: answer(image=tf.constant(images))["probabilities"].numpy(), packages
    logits = zoo.load(folder / "model.keras")
    model = keras.Model(logits.inputs, keras.layers.Softmax()(logits.output))
    compiled = tf.function(
        lambda x: model(x, training=False), input_signature=[tf.TensorSpec((None, 28, 28, 1), "uint8")]
    )
    calls = {
        "model.predict": lambda: model.predict(images, verbose=0, batch_size=256),
        "predict_on_batch": lambda: model.predict_on_batch(images),
        "model(x)": lambda: model(images, training=False).numpy(),
        "tf.function": lambda: compiled(images).numpy(),
    }
    return calls[contender], packages


if __name__ == "__main__":
    main()
