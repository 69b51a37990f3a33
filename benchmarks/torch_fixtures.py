"""Makes the fixtures of tests/test_weights_torchvision.py: what PyTorch answers with given weights.

    pip install torch                        # not a dependency of the zoo: needed here only
    python benchmarks/torch_fixtures.py

Weights and pixels follow a rule (tests/fixtures/torchvision/rule.py), so that only shapes and answers are written.
Answers are computed in float64, so that they are not one machine's rounding; how far PyTorch's own float32 is from them
is printed. `published.json` has the names and shapes of the networks in full.
"""

import argparse
import json
import sys
from pathlib import Path

import torch
import torchvision_like

FOLDER = Path(__file__).parent.parent / "tests" / "fixtures" / "torchvision"
sys.path.insert(0, str(FOLDER))
import rule  # noqa: E402

# torchvision's table of models: parameters, which for GoogLeNet do not count the auxiliary classifiers.
PUBLISHED = {
    "alexnet": 61_100_840,
    "vgg11": 132_863_336,
    "vgg13": 133_047_848,
    "vgg16": 138_357_544,
    "vgg19": 143_667_240,
    "vgg11_bn": 132_868_840,
    "vgg13_bn": 133_053_736,
    "vgg16_bn": 138_365_992,
    "vgg19_bn": 143_678_248,
    "googlenet": 6_624_904,
    "resnet18": 11_689_512,
    "resnet34": 21_797_672,
    "resnet50": 25_557_032,
    "resnet101": 44_549_160,
    "resnet152": 60_192_808,
}
# torchvision's name, its arguments here, and the pixels' shape. Images that are not square tell height from width;
# behind AlexNet's and VGG's convolutions they are square again, since their dense layers need that.
SMALL = dict(num_classes=10)
CASES = {
    "alexnet": ("alexnet", dict(width=1 / 8, dense=48, **SMALL), (2, 224, 226, 3)),
    "alexnet_averaged": ("alexnet", dict(width=1 / 8, dense=48, **SMALL), (2, 256, 288, 3)),
    "vgg11": ("vgg11", dict(width=1 / 8, dense=48, **SMALL), (2, 240, 224, 3)),
    "vgg16_bn": ("vgg16_bn", dict(width=1 / 16, dense=48, **SMALL), (2, 240, 224, 3)),
    "googlenet": ("googlenet", dict(width=1 / 8, **SMALL), (2, 224, 256, 3)),
    "resnet18": ("resnet18", dict(blocks=(1, 2, 1, 1), **SMALL), (2, 64, 96, 3)),
    "resnet50": ("resnet50", dict(blocks=(1, 1, 2, 1), **SMALL), (2, 64, 96, 3)),
}


def shapes(network):
    return {name: list(value.shape) for name, value in network.state_dict().items()}


def published():
    """The names and shapes in full, checked against the published numbers of parameters."""
    found = {}
    for name, parameters in PUBLISHED.items():
        with torch.device("meta"):
            network = torchvision_like.build(name)
        counted = sum(each.numel() for key, each in network.named_parameters() if not key.startswith("aux"))
        if counted != parameters:
            raise SystemExit(f"{name} has {counted} parameters, torchvision publishes {parameters}")
        found[name] = shapes(network)
    return found


def answers(name, arguments, size):
    """The fixture of one case, and the largest difference of float32 as a share of the largest logit."""
    network = torchvision_like.build(name, **arguments).eval()
    network.load_state_dict({key: torch.from_numpy(value) for key, value in rule.state(shapes(network)).items()})
    pixels = torch.from_numpy(rule.pixels(size))
    with torch.no_grad():
        single, double = (
            network.to(dtype)(torchvision_like.normalized(pixels.to(dtype))) for dtype in (torch.float32, torch.float64)
        )
    if not isinstance(double, dict):
        single, double = {"logits": single}, {"logits": double}
    apart = max(float((single[key] - value).abs().max() / value.abs().max()) for key, value in double.items())
    outputs = {key: [[float(f"{each:.9g}") for each in row] for row in value.tolist()] for key, value in double.items()}
    return {"network": name, "pixels": size, "shapes": shapes(network), "outputs": outputs}, apart


def main():
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    write("published", published())
    for case, (name, arguments, size) in CASES.items():
        fixture, apart = answers(name, arguments, size)
        write(case, {**fixture, "arguments": {key: value for key, value in arguments.items()}})
        largest = max(abs(each) for each in fixture["outputs"]["logits"][0])
        print(f"{case:<20} largest logit {largest:8.3g}   float32 is {apart:.1g} of it away")


def write(name, content):
    (FOLDER / f"{name}.json").write_text(json.dumps(content, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
