"""Models that write a text from a text as functions: strings to strings."""

import numpy as np

from zoo.code_points import MARK, padded, shifted
from zoo.errors import ZooError, require
from zoo.serving.base import DEFAULT, Serving
from zoo.serving.checks import check_finite
from zoo.serving.strings import Strings, random_texts, refuse_numeric, texts_of
from zoo.symbols import FIRST, PADDING


class Transduction(Serving):
    """A model that writes a text from a text. See `Serving`.

    The SavedModel takes and gives strings in UTF-8; both vocabularies, and the loop that writes, are inside.
    """

    shown = ("text", "log_probability")

    def __init__(self, model, labels, features, formats):
        refuse_numeric(model, formats)
        # The names of classes are those of the training data, and none of the model's.
        super().__init__(model, None, features, formats)
        self.graph = model.transducer
        self.name, self.dtype = "source", "string"

    def _shape(self):
        return ()

    def takes(self, format):
        if format == "keras":  # which is trained, and told what was written before
            return {name: ("int32", (None,)) for name in ("source", "target")}
        return super().takes(format)

    def outputs(self, format):
        if format == "keras":
            return {"logits": f"float32 (n, characters, {self.model.target_symbols.size})"}
        return {"text": "string (n,)", "log_probability": "float32 (n,)"}

    def functions(self, model, format):
        import tensorflow as tf

        def serve(source):
            codes = Strings(self.model.source_symbols).encode(source)
            told = "each source must have one character or more"
            with tf.control_dependencies([tf.debugging.assert_positive(codes.row_lengths(), told)]):
                written = model(codes.to_tensor(PADDING), training=False)
            characters = tf.RaggedTensor.from_tensor(written["codes"], padding=PADDING)
            text = tf.strings.unicode_encode(characters, "UTF-8")
            return {"text": text, "log_probability": written["log_probability"]}

        return {DEFAULT: (serve, [tf.TensorSpec((None,), "string", name="source")])}

    def requests(self, batch, format):
        return [(DEFAULT, {"source": np.array(batch)})]

    def compare(self, format, requests, answers):
        """Largest difference of logarithms of probabilities; see `Serving.compare`.

        What was written is given to the model, which must find no other character likelier anywhere by more than
        rounding. Two likeliest ones that rounding exchanges are no mistake.
        """
        differences = []
        for number, (_, inputs) in enumerate(requests):
            for part, count in (("all", None), ("one", 1)):
                found = {name: answers[f"{number}.{part}.{name}"] for name in ("text", "log_probability")}
                differences.append(self._difference(format, inputs["source"][:count].tolist(), **found))
        return max(differences)

    def _difference(self, format, sources, text, log_probability):
        _, exact = self.computing(format)
        longest, symbols = self.model.longest, self.model.target_symbols
        codes = padded([(written + MARK)[:longest] for written in text.tolist()])
        logits = self.answered(self.model, {"source": self.model.encode(sources), "target": shifted(codes)}, format)
        check_finite(logits)
        logits -= logits.max(-1, keepdims=True)
        logits -= np.log(np.exp(logits).sum(-1, keepdims=True))
        places = symbols.indices(codes)
        scores = np.take_along_axis(logits, places[..., None], -1)[..., 0]
        short = np.where(codes > 0, logits[..., FIRST:].max(-1) - scores, 0).max()
        wanted = np.where(codes > 0, scores, 0).sum(-1)
        slack = 1e-4 if exact else 0.1
        if (places[codes > 0] < FIRST).any() or not short <= slack:
            raise ZooError(
                f"the {format} export does not write like the model: it wrote {str(text[0])!r} for {sources[0]!r}. No "
                "file was left."
            )
        difference = float(np.abs(log_probability - wanted).max())
        if not difference <= slack * (1 + np.abs(wanted).max()):  # so that a NaN fails, too
            raise ZooError(
                f"the {format} export does not answer like the model: logarithms of probabilities differ by "
                f"{difference:.3g}. Nothing was written."
            )
        return difference

    def example(self):
        return random_texts(self.model.source_symbols, (1, 2, 3, 5, 8, 13, 21, 34))

    def checked(self, batch):
        texts = texts_of(self.model.source_symbols, batch)
        require(
            texts and all(texts), "batch", texts[:3], "texts of one character or more, or rows of their code points"
        )
        self.literals = {"source": texts[:1]}
        return texts

    def own(self, batch):
        codes = self.model.encode(batch)
        return {"source": codes, "target": np.full((len(batch), 1), ord(MARK), "int32")}
