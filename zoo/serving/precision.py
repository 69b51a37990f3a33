"""Models that compute in half precision, and their twins that do not."""


def is_float32(model):
    """Whether no layer of a model computes in half precision."""
    return not any(layer.compute_dtype in ("float16", "bfloat16") for layer in model._flatten_layers())


def twin(model):
    """A copy of a model that computes in float32, with the same weights; it is not compiled."""
    import keras

    config = keras.saving.serialize_keras_object(model)
    copy = keras.saving.deserialize_keras_object({**_with_float32(config), "compile_config": None})
    copy.set_weights(model.get_weights())
    return copy


def _with_float32(config):
    if isinstance(config, dict):
        if config.get("class_name") == "DTypePolicy":
            return {**config, "config": {**config["config"], "name": "float32"}}
        return {key: _with_float32(value) for key, value in config.items()}
    return [_with_float32(value) for value in config] if isinstance(config, list | tuple) else config
