"""torchvision's weights: the same answers as PyTorch's, the same names and shapes in full, and refusals by name.

benchmarks/torch_fixtures.py made the fixtures.
"""

import inspect
import json
from pathlib import Path

import keras
import numpy as np
import pytest
from fixtures.torchvision import rule

import zoo
from zoo import registry
from zoo.weights import torchvision
from zoo.weights.torchvision_table import table

FOLDER = Path(__file__).parent / "fixtures" / "torchvision"
OURS = {theirs: ours for ours, theirs in torchvision.NETWORKS.items()}
PUBLISHED = json.loads((FOLDER / "published.json").read_text())
# What torchvision publishes; GoogLeNet without its auxiliary classifiers.
PARAMETERS = {
    "alexnet": 61_100_840,
    "vgg11": 132_863_336,
    "vgg11_bn": 132_868_840,
    "vgg16": 138_357_544,
    "vgg19_bn": 143_678_248,
    "googlenet": 6_624_904,
    "resnet18": 11_689_512,
    "resnet50": 25_557_032,
    "resnet152": 60_192_808,
}
SMALL = dict(width=1 / 16, dense=8, num_classes=10)


@pytest.fixture(autouse=True)
def fresh():
    # Also forgets the sketches' weights, which would otherwise be made when the next scope ends.
    keras.utils.clear_session(free_memory=False)
    keras.utils.set_random_seed(0)


def _write(path, state):
    """A state dict as `safetensors.torch.save_file`, or the two lines of a refused pickle, write it."""
    if path.suffix == ".npz":
        np.savez(path, **state)
        return path
    names = {np.dtype("float32"): "F32", np.dtype("int64"): "I64"}
    header, at = {"__metadata__": {"format": "pt"}}, 0
    for name, array in state.items():
        header[name] = dict(dtype=names[array.dtype], shape=array.shape, data_offsets=(at, at + array.nbytes))
        at += array.nbytes
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + b"".join(each.tobytes() for each in state.values()))
    return path


def _case(name):
    return json.loads((FOLDER / f"{name}.json").read_text())


def _build(case, path, **more):
    shape = tuple(case["pixels"][1:])
    return zoo.build(OURS[case["network"]], weights=path, **{"input_shape": shape, **case["arguments"], **more})


def _close(found, expected):
    expected = np.array(expected)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


def _sketch(name, **arguments):
    """The model without the memory of its weights."""
    entry = registry.entry(name)
    with keras.StatelessScope(initialize_variables=False):
        return zoo.build(name, **{**torchvision.required(entry), **arguments})


def _state():
    """Weights of an AlexNet as small as `SMALL`."""
    features = {0: (4, 3, 11), 3: (12, 4, 5), 6: (24, 12, 3), 8: (16, 24, 3), 10: (16, 16, 3)}
    shapes = {f"features.{number}.weight": (*shape, shape[-1]) for number, shape in features.items()}
    shapes |= {f"features.{number}.bias": shape[:1] for number, shape in features.items()}
    for number, shape in {1: (8, 16 * 36), 4: (8, 8), 6: (10, 8)}.items():
        shapes |= {f"classifier.{number}.weight": shape, f"classifier.{number}.bias": shape[:1]}
    return rule.state(shapes)


@pytest.mark.parametrize(
    ("name", "suffix"),
    [
        ("alexnet", ".npz"),
        ("alexnet_averaged", ".safetensors"),
        ("vgg11", ".safetensors"),
        ("vgg16_bn", ".npz"),
        ("googlenet", ".npz"),
        ("resnet18", ".npz"),
        ("resnet50", ".safetensors"),
    ],
)
def test_the_answers_are_pytorchs(own_folder, name, suffix):
    """From raw pixels, against torchvision's preprocessing and network in float64."""
    case = _case(name)
    path = _write(own_folder / f"weights{suffix}", rule.state(case["shapes"]))
    expected = np.array(case["outputs"]["logits"])
    # The images are told apart by more than what is let pass.
    assert np.abs(expected[0] - expected[1]).max() > 1e-3 * np.abs(expected).max()
    model = _build(case, path)
    _close(model(rule.pixels(case["pixels"]), training=False), expected)


def test_auxiliary_classifiers(own_folder):
    """They answer as PyTorch's behind its pooling, which is not the paper's. One that the file lacks is fresh."""
    case = _case("googlenet")
    state = {key: array for key, array in rule.state(case["shapes"]).items() if not key.startswith("aux2")}
    model = _build(case, _write(own_folder / "weights.npz", state), aux=True)
    maps = keras.Model(model.input, model.get_layer("inception_4a").output)(rule.pixels(case["pixels"]))
    pooled = keras.ops.convert_to_numpy(keras.layers.AdaptiveAveragePooling2D(4)(maps))
    classifier = keras.Model(model.get_layer("aux1_conv").input, model.get_layer("aux1").output)
    _close(classifier(pooled, training=False), case["outputs"]["aux1"])
    for layer in (model.get_layer("aux2_fc"), model.get_layer("aux2")):
        assert np.std(layer.kernel) > 0 and not np.any(layer.bias)


def test_auxiliary_classifiers_of_other_sizes_are_left():
    """Behind smaller images, or of other classes; the rest of them fits."""
    case = _case("googlenet")
    model = _sketch("googlenet_bn", **case["arguments"] | dict(aux=True, num_classes=3, input_shape=(96, 96, 3)))
    slots = table(model, registry.entry("googlenet_bn"))
    left = torchvision._left(slots, rule.state(case["shapes"]))
    assert left == {"output", "aux1", "aux2", "aux1_fc", "aux2_fc"}


@pytest.mark.parametrize("name", PUBLISHED)
def test_names_and_shapes_in_full(name):
    """Every array that torchvision has finds its place, and every variable its array."""
    aux = {"aux": True} if name == "googlenet" else {}
    model = _sketch(OURS[name], **aux)
    slots = table(model, registry.entry(OURS[name]))
    published = {key: tuple(shape) for key, shape in PUBLISHED[name].items() if not key.endswith(torchvision.COUNTER)}
    found = {key: slot.shape for key, slot in slots.items()}
    if name.endswith("_bn"):
        # torchvision's biases before batch normalisation, which are folded into the means.
        biases = {f"features.{index - 1}.bias" for index in range(99) if f"features.{index}.running_mean" in found}
        found |= {key: (published[key][0],) for key in biases}
    assert found == published
    assert sorted(slot.variable.path for slot in slots.values()) == sorted(
        variable.path for variable in model.weights if not variable.path.startswith("scaling")
    )
    if name in PARAMETERS:
        trained = [key for key in found if "running" not in key and not key.startswith("aux")]
        assert sum(int(np.prod(found[key])) for key in trained) == PARAMETERS[name]


def test_pixels_are_scaled_as_documented(own_folder):
    model = zoo.build("alexnet_single", weights=_write(own_folder / "weights.npz", _state()), **SMALL)
    scaling = keras.Model(model.input, model.get_layer("scaling").output)
    colours = np.array([[0, 0, 0], [255, 255, 255], [10, 100, 200]], "uint8")
    pixels = np.broadcast_to(colours[:, None, None], (3, 224, 224, 3))
    expected = (colours / 255 - (0.485, 0.456, 0.406)) / (0.229, 0.224, 0.225)
    np.testing.assert_allclose(scaling(pixels)[:, 0, 0], expected, rtol=1e-5, atol=1e-6)


def test_another_number_of_classes_keeps_the_fresh_head(own_folder):
    state = _state()
    path = _write(own_folder / "weights.npz", state)
    same = zoo.build("alexnet_single", weights=path, **SMALL)
    other = zoo.build("alexnet_single", weights=path, **{**SMALL, "num_classes": 3})
    assert other.output_shape == (None, 3)
    for layer in same.layers:
        ours = other.get_layer(layer.name).get_weights()
        if layer.name != "output":
            assert all(np.array_equal(a, b) for a, b in zip(layer.get_weights(), ours, strict=True))
    np.testing.assert_array_equal(same.get_layer("output").kernel, state["classifier.6.weight"].T)
    fresh = other.get_layer("output")
    assert np.std(fresh.kernel) > 0 and not np.any(fresh.bias)
    with pytest.raises(zoo.ZooError, match="other classes than the 1000 .* stay untrained. Give num_classes"):
        zoo.build("alexnet_single", weights=path, **{k: v for k, v in SMALL.items() if k != "num_classes"})


def test_without_the_top_the_trunk_is_the_same(own_folder):
    path = _write(own_folder / "weights.npz", _state())
    whole = zoo.build("alexnet_single", weights=path, **SMALL)
    # Convolutions take images of any shape.
    trunk = zoo.build("alexnet_single", weights=path, width=1 / 16, include_top=False, input_shape=(96, 200, 3))
    assert trunk.output_shape[1:] == (2, 5, 16)
    for layer in trunk.layers:
        assert all(
            np.array_equal(a, b)
            for a, b in zip(layer.get_weights(), whole.get_layer(layer.name).get_weights(), strict=True)
        )


def test_counters_of_batches_may_be_absent(own_folder):
    """Files older than PyTorch 0.4.1 have none."""
    case = _case("vgg16_bn")
    state = rule.state(case["shapes"])
    path = _write(own_folder / "weights.npz", {k: v for k, v in state.items() if not k.endswith(torchvision.COUNTER)})
    model = _build(case, path)
    mean = state["features.1.running_mean"] - state["features.0.bias"]
    np.testing.assert_allclose(model.get_layer("block1_conv1_norm").moving_mean, mean, rtol=1e-6)


@pytest.mark.parametrize(
    ("change", "arguments", "message"),
    [
        (
            dict(width=1 / 8),
            {},
            "features.0.weight has the shape \\(4, .*, the layer 'conv1' takes \\(8, .* width=0.0625 would fit",
        ),
        (
            dict(input_shape=(224, 224, 1)),
            {},
            "'conv1' takes \\(4, 1, 11, 11\\). input_shape=\\(height, width, 3\\) would fit",
        ),
        (
            dict(dense=16),
            {},
            "classifier.1.weight has the shape \\(8, 576\\), the layer 'fc1' takes \\(16, 576\\). dense=8 would fit",
        ),
        (
            dict(input_shape=(128, 128, 3)),
            {},
            "'fc1' takes \\(8, 144\\). input_shape=\\(224, 224, 3\\) would fit, or include_top=False",
        ),
        (dict(input_shape=(430, 155, 3)), {}, "trained on square maps, here they read 12 x 3"),
        (dict(batch_normalization=True), {}, "lacks features.1.weight, features.1.bias"),
        ({}, {"features.0.bias": None}, "lacks features.0.bias.$"),
        ({}, {"extra.weight": np.zeros(1)}, "holds extra.weight, which the network does not have"),
        (
            {},
            {"classifier.6.weight": None, "classifier.6.bias": None},
            "lacks classifier.6.weight, classifier.6.bias. include_top=False takes",
        ),
        (
            {},
            {"features.3.weight": np.full((12, 4, 5, 5), np.nan)},
            "not a trained network: features.3.weight has values that are not finite",
        ),
        (
            {},
            {"classifier.6.weight": np.zeros((10, 9))},
            "classifier.6.weight has the shape \\(10, 9\\), the layer 'output' takes",
        ),
        ({}, {"classifier.6.bias": np.zeros(9)}, "classifier.6.bias has the shape \\(9,\\)"),
        ({}, {"classifier.1.weight": np.zeros(())}, "classifier.1.weight has the shape \\(\\)"),
        (
            dict(input_shape=(224, 224, 1)),
            {"features.0.weight": np.zeros((4, 1, 11, 11))},
            "takes 1 channels. input_shape=",
        ),
        ({}, {"features.3.weight": np.zeros(())}, "features.3.weight has the shape \\(\\)"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_does_not_fit_is_named_and_nothing_is_set(own_folder, change, arguments, message):
    state = {key: array for key, array in (_state() | arguments).items() if array is not None}
    path = _write(own_folder / "weights.npz", state)
    model = zoo.build("alexnet_single", **{**SMALL, **change})
    before = model.get_weights()
    with pytest.raises(zoo.ZooError, match=message) as refused:
        torchvision.assign(model, registry.entry("alexnet_single"), path)
    assert str(path) in str(refused.value) or "square" in message or "channels" in message
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


@pytest.mark.parametrize(
    ("name", "theirs"),
    [
        ("resnet34", "resnet18"),
        ("resnet34", "resnet50"),
        ("vgg16", "vgg16_bn"),
        ("vgg19_bn", "vgg13_bn"),
        ("alexnet_single", "googlenet"),
        ("googlenet_bn", "alexnet"),
    ],
)
def test_another_network_is_recognised(own_folder, name, theirs):
    state = {key: np.zeros((1,) * len(shape)) for key, shape in PUBLISHED[theirs].items()}
    path = _write(own_folder / "weights.npz", state)
    with pytest.raises(
        zoo.ZooError, match=f"does not hold the weights of {name}: .* zoo.build\\('{OURS[theirs]}', ...\\)"
    ):
        torchvision.assign(_sketch(name), registry.entry(name), path)


def test_stems_and_wider_resnets(own_folder):
    """Their names are the same: shapes tell them apart."""
    entry = registry.entry("resnet50")
    shapes = {key: tuple(shape) for key, shape in _case("resnet50")["shapes"].items()}

    def refused(message, key, shape, **arguments):
        state = {key: np.broadcast_to(np.float32(0), shape) for key, shape in {**shapes, key: shape}.items()}
        path = _write(own_folder / "weights.npz", state)
        with pytest.raises(zoo.ZooError, match=message):
            torchvision.assign(_sketch("resnet50", blocks=(1, 1, 2, 1), **arguments), entry, path)

    refused("stem='imagenet' would fit", "conv1.weight", (64, 3, 7, 7), stem="small")
    refused("stem='small' would fit", "conv1.weight", (64, 3, 3, 3))
    refused("layer1.0.conv2.weight has the shape .* 'stage1_block1_2_conv'", "layer1.0.conv2.weight", (128, 4, 3, 3))


def test_arguments_that_the_weights_fix():
    for name in torchvision.NETWORKS:
        entry = registry.entry(name)
        assert set(torchvision.required(entry)) <= set(inspect.signature(registry.builder(name)).parameters)
    model = _sketch("googlenet_bn")
    assert model.get_layer("pool4").pool_size == (2, 2) and model.get_layer("inception_3a_5x5").kernel_size == (3, 3)
    for name, wrong in (("googlenet_bn", dict(last_pool="3x3")), ("resnet50", dict(strides_in="1x1"))):
        with pytest.raises(zoo.ZooError, match=f"{next(iter(wrong))}="):
            zoo.build(name, weights="weights.npz", **wrong)
    for name, near in (("googlenet", "googlenet_bn"), ("vgg11_small", "vgg11"), ("alexnet", "alexnet_single")):
        with pytest.raises(zoo.ZooError, match=f"do not fit '{name}'.*{near}"):
            zoo.build(name, weights="weights.npz")
