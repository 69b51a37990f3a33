"""The one table of models: names, tasks, papers and parameter counts, readable without Keras.

`@register` checks every function against its rows, and a test counts the parameters.
"""

from zoo.registry import Entry

LECUN_1998 = "LeCun, Bottou, Bengio, Haffner 1998, Gradient-based learning applied to document recognition"

ENTRIES = (
    Entry(
        "perceptron",
        family="mlp",
        task="classification",
        paper="Rosenblatt 1958, The perceptron: a probabilistic model for information storage and organization",
        input="raw pixels 0..255, (28, 28, 1); any image or feature vector",
        parameters=7_850,
        summary="one linear layer",
        tiny=dict(input_shape=(6, 6, 1), num_classes=3),
    ),
    Entry(
        "mlp",
        family="mlp",
        task="classification",
        paper="Rumelhart, Hinton, Williams 1986, Learning representations by back-propagating errors",
        input="raw pixels 0..255, (28, 28, 1); any image or feature vector",
        parameters=235_146,
        summary="dense layers of any depth and width",
        tiny=dict(input_shape=(6, 6, 1), num_classes=3, hidden=(16,)),
    ),
    Entry(
        "lenet5",
        family="lenet",
        task="classification",
        paper=f"{LECUN_1998}, section II.B",
        input="raw pixels 0..255, 0 is background, (32, 32, 1); smaller images are padded",
        parameters=60_000,
        summary="the paper's network: connection table, trainable subsampling, radial basis output",
        tiny=dict(num_classes=3, input_shape=(8, 8, 1), upsample=3),
    ),
    Entry(
        "lenet",
        family="lenet",
        task="classification",
        paper=f"{LECUN_1998}; the practical form of the courses",
        input="raw pixels 0..255, (28, 28, 1); any image of 12 x 12 or more",
        parameters=61_706,
        summary="two convolutions and three dense layers",
        tiny=dict(num_classes=3, input_shape=(12, 12, 1)),
    ),
    Entry(
        "ensemble",
        family="ensemble",
        task="classification",
        paper="Breiman 1996, Bagging predictors",
        input="whatever its members take",
        parameters=5 * 61_706,
        summary="the mean of the probabilities of any list of models",
        tiny=dict(members=("perceptron", "mlp"), arguments=dict(input_shape=(6, 6, 1), num_classes=3)),
    ),
)
