"""Models of language as functions: a prompt to what they write after it, and a text to its perplexity."""

import keras
import numpy as np

from zoo.errors import ZooError, require
from zoo.language_scores import cross_entropy
from zoo.serving import language_loop as loop
from zoo.serving.base import DEFAULT, Serving
from zoo.serving.precision import is_float32
from zoo.serving.strings import Strings, left_padded, random_texts, raw_of, refuse_numeric, texts_of
from zoo.writing import MOST, continued, start_of

PERPLEXITY = "perplexity"
# The numbers that tell a SavedModel how to write, and their types.
NUMBERS = {"length": "int32", "temperature": "float32", "top_k": "int32", "seed": "int32"}
# What it is asked, to be compared: each number comes into play.
ASKED = ((40, 0.8, 0, 1), (20, 1.5, 2, 2))


class Language(Serving):
    """A model that tells the next symbol of a text; the vocabulary and the loop that writes go with it. See `Serving`.

    What is compared is the text that `zoo.write` writes with the same seed, symbol by symbol, and the perplexity of
    texts that are read through at once.
    """

    shown = ("text",)
    literals = {"prompt": ["To be"], "length": 400, "temperature": 0.8, "top_k": 20, "seed": 1}

    def __init__(self, model, labels, features, formats):
        refuse_numeric(model, formats)
        super().__init__(model, None, None, formats)
        self.name, self.dtype = "prompt", "string"

    def _shape(self):
        return ()

    def takes(self, format):
        if format == "keras":
            return {"text": ("int32", (None,))}
        return {"prompt": ("string", ()), **{name: (dtype, None) for name, dtype in NUMBERS.items()}}

    def outputs(self, format):
        if format == "keras":
            return {"logits": f"float32 (n, any, {self.model.symbols.size})"}
        return {"text": "string (n,)"}

    def more(self, path, shape):
        return [
            f'perplexity = tf.saved_model.load("{path}").signatures["{PERPLEXITY}"]',
            f'print(perplexity(text=tf.constant(["To be, or not to be"]))["{PERPLEXITY}"].numpy())',
        ]

    def functions(self, model, format):
        import tensorflow as tf

        strings, symbols = Strings(model.symbols), model.symbols
        self.held = strings.held
        step, specs = loop.stepping(model.stepper, symbols), loop.state_specs(model.stepper)

        def serve(prompt, length, temperature, top_k, seed):
            finite = tf.logical_and(temperature >= 0, tf.math.is_finite(temperature))
            checks = (
                _check(tf.logical_and(length >= 1, length <= MOST), f"length must be 1 to {MOST:,}", length),
                _check(finite, "temperature must be a finite number >= 0; 0 takes the likeliest symbol", temperature),
                _check(top_k >= 0, "top_k must be 0 or more; 0 draws among all symbols", top_k),
            )
            with tf.control_dependencies(checks):  # nothing that is told may be used, and fail by itself, before
                told = [tf.identity(each) for each in (prompt, length, temperature, top_k, seed)]
            prompt, length, temperature, top_k, seed = told
            raw = strings.encode(prompt)
            seen = left_padded(raw.with_flat_values(symbols(raw.flat_values)), start_of(symbols))
            states = loop.feed(step, seen[:, :-1], loop.zeros(specs, tf.shape(seen)[0]))
            numbers = loop.draws(length, seed)
            written, *_ = loop.write(step, seen[:, -1], states, numbers, temperature, top_k)
            return {"text": strings.decode(written)}

        def perplexity(text):
            raw = strings.encode(text)
            told = "each text must have two symbols or more: the first is what the second is told from"
            with tf.control_dependencies([_check(tf.reduce_all(raw.row_lengths() > 1), told, raw.row_lengths())]):
                rows = raw.to_tensor(0)
            nats = loop.nats(model.stepper, symbols, rows, loop.zeros(specs, tf.shape(rows)[0]))
            return {PERPLEXITY: tf.exp(nats), "nats": nats}

        prompt, text = (tf.TensorSpec((None,), "string", name=name) for name in ("prompt", "text"))
        numbers = [tf.TensorSpec((), dtype, name=name) for name, dtype in NUMBERS.items()]
        return {DEFAULT: (serve, [prompt, *numbers]), PERPLEXITY: (perplexity, [text])}

    def requests(self, batch, format):
        told = [
            {name: np.array(value, dtype) for (name, dtype), value in zip(NUMBERS.items(), values, strict=True)}
            for values in ASKED
        ]
        # Prompts of several lengths together, one of them empty; few, as what is compared is the loop.
        prompts = np.array([batch[0][:30], "", batch[-1][:7]])
        return [*((DEFAULT, {"prompt": prompts, **each}) for each in told), (PERPLEXITY, {"text": np.array(batch)})]

    def expected(self, signature, inputs, format):
        if signature == DEFAULT:
            return {}  # a text, see `compare`
        nats = np.array([self._nats(text) for text in inputs["text"].tolist()])
        slack = (1e-5 if is_float32(self.model) else 0.05) * (1 + nats.max())
        return {"nats": (nats, slack), PERPLEXITY: (np.exp(nats), slack * np.exp(nats.max() + slack))}

    def _nats(self, text):
        raw = raw_of(self.model.symbols, [text])
        logits = self.answered(self.model, raw, "savedmodel")[0, :-1]
        return cross_entropy(logits, self.model.symbols.indices(raw)[0, 1:]).mean()

    def compare(self, format, requests, answers):
        for number, (signature, inputs) in enumerate(requests):
            if signature == DEFAULT:
                numbers = {name: inputs[name].item() for name in NUMBERS}
                for part, prompts in (("all", inputs["prompt"].tolist()), ("one", inputs["prompt"][:1].tolist())):
                    wanted, got = continued(self.model, prompts, **numbers), answers[f"{number}.{part}.text"].tolist()
                    if got != wanted:
                        raise ZooError(
                            f"the {format} export does not write like the model: after {prompts} with {numbers} it "
                            f"wrote {got}, and zoo.write {wanted}. Nothing was written to disk."
                        )
        return super().compare(format, requests, answers)

    def example(self):
        # One is longer than what is read at once.
        return random_texts(self.model.symbols, (loop.READ_AT_ONCE + 50, 2, 20))

    def checked(self, batch):
        texts = texts_of(self.model.symbols, batch)
        fits = texts and all(len(self.model.symbols.encode(text)) > 1 for text in texts)
        require(fits, "batch", texts[:3], "texts of two symbols or more, or rows of raw input")
        return texts

    def own(self, batch):
        return keras.ops.convert_to_tensor(raw_of(self.model.symbols, batch))


def _check(holds, told, value):
    import tensorflow as tf

    return tf.debugging.Assert(holds, [f"{told}. Received:", value])
