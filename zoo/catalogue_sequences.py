"""The rows of `zoo/catalogue.py` for models of texts and other sequences."""

from zoo.registry import Entry

HOCHREITER_1997 = "Hochreiter, Schmidhuber 1997, Long short-term memory"
BAHDANAU_2015 = "Bahdanau, Cho, Bengio 2015, Neural machine translation by jointly learning to align and translate"

SEQUENCES = (
    Entry(
        "simple_rnn",
        family="recurrent",
        function="recurrent",
        task="language",
        paper="Elman 1990, Finding structure in time",
        input="text as code points, (any); or words, rows of an image, (steps, features)",
        parameters=116_066,
        summary="h_t = tanh(W x_t + U h_{t-1} + b): language model, classifier or regressor",
        preset=dict(cell="simple_rnn"),
        tiny=dict(vocabulary="abc", units=4),
    ),
    Entry(
        "lstm",
        family="recurrent",
        function="recurrent",
        task="language",
        paper=f"{HOCHREITER_1997}; Gers, Schmidhuber, Cummins 2000, Learning to forget",
        input="text as code points, (any); or words, rows of an image, (steps, features)",
        parameters=388_706,
        summary="gates keep what is remembered: language model, classifier or regressor",
        preset=dict(cell="lstm"),
        tiny=dict(vocabulary="abc", units=4),
    ),
    Entry(
        "gru",
        family="recurrent",
        function="recurrent",
        task="language",
        paper="Cho et al. 2014, Learning phrase representations using RNN encoder-decoder for machine translation",
        input="text as code points, (any); or words, rows of an image, (steps, features)",
        parameters=298_594,
        summary="two gates and one state: language model, classifier or regressor",
        preset=dict(cell="gru"),
        tiny=dict(vocabulary="abc", units=4),
    ),
    Entry(
        "seq2seq",
        family="seq2seq",
        task="transduction",
        paper=f"{BAHDANAU_2015}; Sutskever, Vinyals, Le 2014, Sequence to sequence learning with neural networks",
        input="texts as code points: what is read (any), and what was written so far (any)",
        parameters=1_551_138,
        summary="an encoder that reads a text and a decoder that writes another, with additive attention or without",
        tiny=dict(source_vocabulary="abc", target_vocabulary="xyz", units=4, embedding=3, longest=5),
    ),
)
