"""The one table of models: names, tasks, papers and parameter counts, readable without Keras.

`@register` checks every function against its rows, and a test counts the parameters.
"""

from zoo.registry import Entry

LECUN_1998 = "LeCun, Bottou, Bengio, Haffner 1998, Gradient-based learning applied to document recognition"
KRIZHEVSKY_2012 = "Krizhevsky, Sutskever, Hinton 2012, ImageNet classification with deep convolutional neural networks"
SIMONYAN_2015 = "Simonyan, Zisserman 2015, Very deep convolutional networks for large-scale image recognition"
SZEGEDY_2014 = "Szegedy et al. 2014, Going deeper with convolutions"
HE_2015 = "He, Zhang, Ren, Sun 2015, Deep Residual Learning for Image Recognition"

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
    Entry(
        "multi_task",
        family="multi_task",
        task="classification",
        paper="Caruana 1997, Multitask Learning, section 2",
        input="whatever its trunk takes",
        parameters=61_706 + 84 * 2 + 2,
        summary="a shared trunk of any classification model, and a head for each task",
        tiny=dict(heads={"logits": 3, "parity": 2}, arguments=dict(input_shape=(12, 12, 1))),
    ),
    Entry(
        "surface",
        family="surface",
        task="optimization",
        paper="Rosenbrock 1960, An automatic method for finding the greatest or least value of a function",
        input="anything, (1,): it is not looked at",
        parameters=2,
        summary="a point on a surface, to watch an optimizer walk",
    ),
    Entry(
        "alexnet",
        family="alexnet",
        task="classification",
        paper=f"{KRIZHEVSKY_2012}, section 3.5 and figure 2",
        input="raw pixels 0..255, (224, 224, 3); any image of 64 x 64 or more",
        parameters=60_965_224,
        summary="the paper's network in two towers, with local response normalisation",
        tiny=dict(num_classes=3, input_shape=(64, 64, 3), width=1 / 16, dense=16, dropout=0.0),
    ),
    Entry(
        "alexnet_single",
        family="alexnet",
        task="classification",
        paper="Krizhevsky 2014, One weird trick for parallelizing convolutional neural networks; torchvision's form",
        input="raw pixels 0..255, (224, 224, 3); any image of 63 x 63 or more",
        parameters=61_100_840,
        summary="one tower, without local response normalisation",
        function="alexnet",
        preset=dict(form="single"),
        tiny=dict(num_classes=3, input_shape=(63, 63, 3), width=1 / 16, dense=16),
    ),
    Entry(
        "alexnet_fashion",
        family="alexnet",
        task="classification",
        paper=f"{KRIZHEVSKY_2012}; the form of the courses",
        input="raw pixels 0..255, (224, 224, 1); smaller images with resize=224",
        parameters=46_764_746,
        summary="the paper's channels in one tower, for grey images and 10 classes",
        function="alexnet",
        preset=dict(form="fashion", num_classes=10, input_shape=(224, 224, 1)),
        tiny=dict(num_classes=3, input_shape=(28, 28, 1), resize=65, width=1 / 16, dense=16),
    ),
    Entry(
        "alexnet_small",
        family="alexnet",
        task="classification",
        paper=f"{KRIZHEVSKY_2012}; one tower, for small images",
        input="raw pixels 0..255, (32, 32, 3); any image of 15 x 15 or more",
        parameters=1_790_842,
        summary="one tower at stride 1, with batch normalisation",
        function="alexnet",
        preset=dict(
            form="small",
            num_classes=10,
            input_shape=(32, 32, 3),
            dense=512,
            batch_normalization=True,
        ),
        tiny=dict(num_classes=3, input_shape=(15, 15, 3), width=1 / 8, dense=16),
    ),
    *(
        Entry(
            f"vgg{layers}{kind}",
            family="vgg",
            task="classification",
            paper=f"{SIMONYAN_2015}, table 1, {configuration}{origin}",
            input=f"raw pixels 0..255, {shape}; any image of 32 x 32 or more",
            parameters=parameters,
            summary=f"{convolutions} convolutions of 3 x 3{summary}",
            function="vgg",
            preset=dict(configuration=configuration, **preset),
            tiny=dict(num_classes=3, input_shape=(32, 32, 3), width=1 / 16, **tiny),
        )
        for kind, origin, shape, summary, preset, tiny, counts in (
            (
                "",
                "",
                "(224, 224, 3)",
                " and three dense layers",
                {},
                dict(dense=16, dropout=0.0),
                (132_863_336, 133_047_848, 138_357_544, 143_667_240),
            ),
            (
                "_bn",
                "; Ioffe, Szegedy 2015 (batch normalisation)",
                "(224, 224, 3)",
                " with batch normalisation and three dense layers",
                dict(batch_normalization=True),
                dict(dense=16),
                (132_866_088, 133_050_792, 138_361_768, 143_672_744),
            ),
            (
                "_small",
                "; the form for CIFAR-10",
                "(32, 32, 3)",
                " with batch normalisation and one dense layer",
                dict(batch_normalization=True, dense=0, num_classes=10, input_shape=(32, 32, 3)),
                {},
                (9_228_362, 9_413_066, 14_724_042, 20_035_018),
            ),
        )
        for layers, convolutions, configuration, parameters in zip(
            (11, 13, 16, 19), (8, 10, 13, 16), "ABDE", counts, strict=True
        )
    ),
    *(
        Entry(
            f"resnet{6 * blocks + 2}",
            family="resnet",
            function="resnet_cifar",
            preset=dict(blocks=blocks),
            task="classification",
            paper=f"{HE_2015}, section 4.2, table 6",
            input="raw pixels 0..255, (32, 32, 3); any image of 8 x 8 or more",
            parameters=parameters,
            summary=f"{6 * blocks + 2} layers for small images, shortcuts without parameters",
            tiny=dict(num_classes=3, input_shape=(8, 8, 1), blocks=1),
        )
        for blocks, parameters in ((3, 269_722), (5, 464_154), (7, 658_586), (9, 853_018), (18, 1_727_962))
    ),
    *(
        Entry(
            f"resnet{2 + sum(blocks) * (3 if bottleneck else 2)}",
            family="resnet",
            function="resnet",
            preset=dict(blocks=blocks, bottleneck=bottleneck),
            task="classification",
            paper=f"{HE_2015}, table 1",
            input="raw pixels 0..255, (224, 224, 3); any image of 32 x 32 or more, of 8 x 8 with the small stem",
            parameters=parameters,
            summary=f"{2 + sum(blocks) * (3 if bottleneck else 2)} layers for ImageNet",
            tiny=dict(num_classes=3, input_shape=(8, 8, 1), blocks=(1, 1, 1, 1), stem="small"),
        )
        for blocks, bottleneck, parameters in (
            ((2, 2, 2, 2), False, 11_689_512),
            ((3, 4, 6, 3), False, 21_797_672),
            ((3, 4, 6, 3), True, 25_557_032),
            ((3, 4, 23, 3), True, 44_549_160),
            ((3, 8, 36, 3), True, 60_192_808),
        )
    ),
    Entry(
        "googlenet",
        family="googlenet",
        task="classification",
        paper=f"{SZEGEDY_2014}, table 1 and figure 3",
        input="raw pixels 0..255, (224, 224, 3); any image of 32 x 32 or more",
        parameters=6_998_552,
        summary="nine inception modules, with local response normalisation",
        tiny=dict(num_classes=3, input_shape=(32, 32, 3), width=1 / 4, dropout=0.0),
    ),
    Entry(
        "googlenet_bn",
        family="googlenet",
        task="classification",
        paper=f"{SZEGEDY_2014}, table 1; Ioffe, Szegedy 2015 (batch normalisation)",
        input="raw pixels 0..255, (224, 224, 3); any image of 32 x 32 or more",
        parameters=7_005_832,
        summary="nine inception modules, with batch normalisation",
        function="googlenet",
        preset=dict(batch_normalization=True),
        tiny=dict(num_classes=3, input_shape=(32, 32, 3), width=1 / 8),
    ),
    Entry(
        "googlenet_small",
        family="googlenet",
        task="classification",
        paper=f"{SZEGEDY_2014}, table 1; the form for CIFAR-10",
        input="raw pixels 0..255, (32, 32, 3); any image of 8 x 8 or more",
        parameters=5_871_914,
        summary="nine inception modules at 32, 16 and 8 pixels, with batch normalisation",
        function="googlenet",
        preset=dict(stem="small", batch_normalization=True, num_classes=10, input_shape=(32, 32, 3)),
        tiny=dict(num_classes=3, input_shape=(8, 8, 3), width=1 / 8),
    ),
)
