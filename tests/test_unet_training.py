"""The published, unpadded network from data to SavedModel: windows with a margin, weights of borders, whole images."""

import keras
import numpy as np
import tensorflow as tf

import zoo
from zoo import runs
from zoo.data import from_masks
from zoo.segmentation_losses import SegmentationLoss
from zoo.segmentation_metrics import SegmentationMetrics

MINE = '''
"""Mine."""

import keras

import zoo
from zoo.data import paired, segmentation
from zoo.segmentation_losses import SegmentationLoss
from zoo.segmentation_metrics import SegmentationMetrics


def recipe(epochs=2):
    """The unpadded network on canvases.

    Args:
        epochs: passes.
    """
    data = segmentation("digits_canvas", 8, examples=40, weights=True, mix=paired.crop(84, margin=20), repeats=2)
    model = zoo.build("unet", num_classes=11, input_shape=(84, 84, 1), width=2, depth=2, dropout=0.0)
    model.compile(keras.optimizers.Adam(0.01), SegmentationLoss(dice=0.0), metrics=[SegmentationMetrics(data.labels)])
    return zoo.Recipe(model, data, epochs)
'''


def test_the_unpadded_network(own_folder):
    (own_folder / "mine.py").write_text(MINE)
    result = zoo.train("mine.py", folder="run", verbose=0)
    rows = runs.history(result.folder)
    assert rows[1]["loss"] < rows[0]["loss"]
    assert {"test_mean_iou", "test_pixel_error", "test_iou/background", "val_dice"} <= set(result.metrics)
    names = {path.name for path in result.folder.iterdir()}
    assert {"masks.png", "probabilities.png", "savedmodel", "model.keras"} <= names and "model.tflite" not in names
    serve = tf.saved_model.load(str(result.folder / "savedmodel")).signatures["serving_default"]
    answer = serve(image=tf.zeros((1, 33, 70, 1), tf.uint8))
    assert answer["mask"].shape == (1, 33, 70) and np.isfinite(answer["probabilities"]).all()
    again = zoo.evaluate(result.folder)
    assert all(abs(again[key] - result.metrics[key]) < 1e-6 for key in again)


def test_a_small_one_finds_squares_in_noise():
    keras.utils.set_random_seed(0)
    random = np.random.default_rng(0)
    masks = np.zeros((240, 32, 32), "uint8")
    for mask in masks:
        for top, left in random.integers(0, 24, (2, 2)):
            mask[top : top + 8, left : left + 8] = 1
    images = np.clip(random.normal(90 + 60 * masks, 30), 0, 255).astype("uint8")[..., None]
    data = from_masks((images, masks), 20, seed=0)
    model = zoo.build("unet_same", num_classes=1, input_shape=(32, 32, 1), width=4, depth=2, batch_normalization=True)
    model.compile(keras.optimizers.Adam(0.01), SegmentationLoss(), metrics=[SegmentationMetrics(data.labels)])
    model.fit(data.train.open(), steps_per_epoch=data.train.steps, epochs=12, shuffle=False, verbose=0)
    scores = model.evaluate(data.test.once(), return_dict=True, verbose=0)
    # A threshold on single pixels is wrong for every sixth of them.
    assert scores["pixel_error"] < 0.02 and scores["iou/1"] > 0.9
