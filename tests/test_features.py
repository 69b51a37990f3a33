"""Intermediate outputs by name, and another head on a trained network."""

import keras
import numpy as np
import pytest

import zoo
from zoo import registry
from zoo.surgery import features, replace_head

rng = np.random.default_rng(0)
# One of each family, with a layer in its middle.
MIDDLES = {
    "mlp": "dense1",
    "lenet5": "c3",
    "alexnet": "conv2",
    "vgg11_small": "block2_pool",
    "resnet20": "stage2_block1_relu",
    "googlenet_small": "inception_4a",
    "ensemble": "member_1/dense1",
}


def tiny(name, **arguments):
    return zoo.build(name, **{**registry.entry(name).tiny, **arguments})


def pixels(model, count=2):
    return rng.integers(0, 256, (count, *model.input_shape[1:])).astype("uint8")


def last(model):
    return model.output._keras_history.operation.name


class TestFeatures:
    @pytest.mark.parametrize("name, middle", MIDDLES.items())
    def test_every_family_gives_its_inner_outputs(self, name, middle):
        model = tiny(name)
        batch = pixels(model)
        found = features(model, [middle, last(model)])(batch)
        assert list(found) == [middle, last(model)]
        np.testing.assert_array_equal(found[last(model)], model(batch))
        outer, _, inner = middle.partition("/")
        layer = model.get_layer(outer).get_layer(inner) if inner else model.get_layer(outer)
        assert found[middle].shape == (2, *layer.output.shape[1:])
        assert np.ptp(np.asarray(keras.ops.convert_to_numpy(found[middle]))) > 0

    def test_they_are_what_the_layers_compute(self):
        model = tiny("mlp", hidden=(4, 3))
        batch = pixels(model)
        found = zoo.features(model, ["relu1", "dense2"])(batch)
        kernel, bias = model.get_layer("dense1").get_weights()
        hidden = np.maximum(batch.reshape(2, -1) / 255 @ kernel + bias, 0)
        np.testing.assert_allclose(found["relu1"], hidden, rtol=1e-5, atol=1e-6)
        kernel, bias = model.get_layer("dense2").get_weights()
        np.testing.assert_allclose(found["dense2"], hidden @ kernel + bias, rtol=1e-5, atol=1e-6)

    def test_weights_are_shared(self):
        model = tiny("mlp")
        inner = features(model, "dense1")
        batch = pixels(model)
        model.get_layer("dense1").set_weights([np.zeros((36, 16)), np.full(16, 3.0)])
        np.testing.assert_array_equal(inner(batch)["dense1"], np.full((2, 16), 3.0))

    def test_a_model_in_a_sequential_model(self):
        encoder = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="inside")], name="encoder")
        model = keras.Sequential([keras.Input((3,)), encoder, keras.layers.Dense(1)])
        found = features(model, ["encoder", "encoder/inside"])(np.ones((1, 3)))
        np.testing.assert_array_equal(found["encoder"], found["encoder/inside"])

    def test_names_that_do_not_exist(self):
        model = tiny("ensemble")
        with pytest.raises(zoo.ZooError, match=r"ensemble has no layer 'member_2'. Did you mean 'member_1'"):
            features(model, "member_2")
        with pytest.raises(zoo.ZooError, match=r"member_1 has no layer 'dense7'.*'dense1'"):
            features(model, "member_1/dense7")
        with pytest.raises(zoo.ZooError, match=r"'pixels' of ensemble is no model"):
            features(model, "pixels/dense")
        for wrong in ([], [3], None, {}):
            with pytest.raises(zoo.ZooError, match="names must be the name of a layer"):
                features(model, wrong)

    def test_a_layer_that_is_used_twice_has_no_one_output(self):
        inputs, shared = keras.Input((3,)), keras.layers.Dense(3, name="shared")
        model = keras.Model(inputs, shared(shared(inputs)), name="twice")
        with pytest.raises(zoo.ZooError, match="'shared' of twice is used 2 times"):
            features(model, "shared")
        # Another model that uses a layer does not matter.
        once = keras.Model(inputs, shared(inputs), name="once")
        np.testing.assert_array_equal(features(once, "shared")(np.ones((1, 3)))["shared"], once(np.ones((1, 3))))

    def test_a_model_that_is_no_graph(self):
        class Own(keras.Model):
            def call(self, inputs):
                return inputs

        with pytest.raises(zoo.ZooError, match="the layers of this model are not known"):
            features(Own(), "dense")


def randomised(model):
    for variable in model.weights:
        variable.assign(rng.uniform(0.1, 1.0, variable.shape))
    return model


class TestReplaceHead:
    def test_everything_before_the_head_is_kept(self):
        model = randomised(tiny("resnet20"))
        copy = replace_head(model, 5)
        assert copy.output_shape == (None, 5) and copy.layers[-1].name == "output" and copy.name == model.name
        batch = pixels(model)
        features_of = [features(each, "average")(batch)["average"] for each in (model, copy)]
        np.testing.assert_array_equal(*features_of)
        # The head is born as a new layer is, not with what was trained, and the two networks share nothing.
        assert not np.isin(copy.layers[-1].kernel, model.layers[-1].kernel).any()
        randomised(copy)
        np.testing.assert_array_equal(features(model, "average")(batch)["average"], features_of[0])

    def test_without_what_was_trained_it_is_a_new_network(self):
        model = randomised(tiny("resnet20"))
        copy = replace_head(model, 5, trained=False)
        for old, new in zip(model.weights[:-2], copy.weights[:-2], strict=True):
            assert not np.allclose(old, new), old.path
        np.testing.assert_array_equal(copy.get_layer("stem_norm").moving_mean, np.zeros(16))

    def test_another_size(self):
        model = randomised(tiny("resnet20"))
        copy = replace_head(model, 3, (12, 16, 1))
        assert copy.input_shape == (None, 12, 16, 1)
        np.testing.assert_array_equal(copy.get_layer("stem_conv").kernel, model.get_layer("stem_conv").kernel)
        with pytest.raises(zoo.ZooError, match=r"lenet takes images of \(12, 12, 1\), not \(16, 16, 1\).*'dense1'"):
            replace_head(tiny("lenet"), 3, (16, 16, 1))
        with pytest.raises(zoo.ZooError, match=r"resnet20 takes images of \(8, 8, 1\), not \(8, 8, 3\)"):
            replace_head(model, 3, (8, 8, 3))
        with pytest.raises(zoo.ZooError, match=r"lenet takes images of \(12, 12, 1\), not \(3, 3, 1\)"):
            replace_head(tiny("lenet"), 3, (3, 3, 1))

    def test_auxiliary_outputs_are_left_out(self):
        model = tiny("googlenet_small", input_shape=(10, 10, 3), aux=True)
        copy = replace_head(model, 4)
        assert copy.output_shape == (None, 4) and not [each for each in copy.layers if each.name.startswith("aux")]

    def test_it_computes_in_the_policy_of_now(self):
        """Scaling and head are exact under every policy, in whichever of the two directions."""
        policies = {}
        for before, now in (("float32", "mixed_bfloat16"), ("mixed_bfloat16", "float32")):
            keras.config.set_dtype_policy(before)
            try:
                model = tiny("resnet20")
                keras.config.set_dtype_policy(now)
                wanted, copy = tiny("resnet20"), replace_head(model, 3)
            finally:
                keras.config.set_dtype_policy("float32")
            policies[now] = {layer.name: layer.compute_dtype for layer in copy.layers}
            assert policies[now] == {layer.name: layer.compute_dtype for layer in wanted.layers}
        assert set(policies["mixed_bfloat16"].values()) == {"float32", "bfloat16"}

    def test_layers_that_were_frozen_train_again(self):
        model = tiny("mlp")
        model.get_layer("dense1").trainable = False
        assert len(replace_head(model, 4).trainable_weights) == 4

    def test_what_has_no_dense_head(self):
        with pytest.raises(zoo.ZooError, match="lenet5 ends in a RadialBasis"):
            replace_head(tiny("lenet5"), 4)
        with pytest.raises(zoo.ZooError, match="num_classes must be an integer >= 2"):
            replace_head(tiny("mlp"), 1)
