"""The recipes of the studies: what they claim of losses, rates, widths and gates."""

import inspect

import keras
import numpy as np
import pytest

import zoo
from callbacks.presets import PRESETS
from recipes import depth_digits, linear_table, mlp_xor, optimizers_diabetes, optimizers_digits
from zoo import optimizers
from zoo.seeding import seed_everything

STUDIES = [optimizers_digits, optimizers_diabetes]


def trained(built, epochs=None):
    """Fits a recipe as the trainer does, without its run folder."""
    steps = built.data.train.steps
    built.model.steps_per_execution = steps
    built.model.fit(
        built.data.train.open(),
        epochs=epochs or built.epochs,
        steps_per_epoch=steps,
        callbacks=list(built.callbacks),
        shuffle=False,
        verbose=0,
    )
    return built.model


def score(model, stream):
    return model.evaluate(stream.once(), verbose=0, return_dict=True)


class TestOptimizers:
    @pytest.mark.parametrize("module", STUDIES)
    def test_every_optimizer_and_schedule_is_named(self, module):
        text = inspect.getdoc(module.recipe)
        assert set(module.RATES) == set(optimizers.NAMES)
        assert all(name in text for name in [*optimizers.NAMES, *PRESETS])

    @pytest.mark.parametrize("module", STUDIES)
    def test_the_rate_is_the_optimizers_or_the_one_given(self, module):
        for asked in ("sgd", "adam", "lookahead_adam", "muon"):
            model = module.recipe(optimizer=asked).model
            rate = module.RATES[asked.removeprefix("lookahead_")]
            assert float(model.optimizer.learning_rate) == pytest.approx(rate), asked
        model = module.recipe(optimizer="adam", learning_rate=0.25).model
        assert float(model.optimizer.learning_rate) == 0.25

    @pytest.mark.parametrize("name", ["sgd", "adadelta", "lion", "muon"])
    def test_optimizers_of_unlike_rates_learn_alike(self, name):
        seed_everything(0)
        built = optimizers_diabetes.recipe(optimizer=name)
        assert score(trained(built), built.data.train)["loss"] < 0.3, "0.5 is what the mean alone has"

    def test_the_schedule_moves_the_rate(self):
        built = optimizers_diabetes.recipe(optimizer="adam", schedule="linear", learning_rate=0.01, epochs=2)
        trained(built)
        assert float(built.model.optimizer.learning_rate) == pytest.approx(0.01 / (2 * built.data.train.steps))

    @pytest.mark.parametrize("module", STUDIES)
    def test_unknown_names(self, module):
        with pytest.raises(zoo.ZooError, match="Did you mean 'cosine'"):
            module.recipe(schedule="cosin")
        with pytest.raises(zoo.ZooError, match="Did you mean 'momentum'"):
            module.recipe(optimizer="momentun")


class TestLinear:
    @pytest.fixture
    def table(self, tmp_path):
        """A CSV of 200 rows with features of quite different size, two of them correlated."""
        generator = np.random.default_rng(0)
        x = generator.normal(size=(200, 3)) * [1, 300, 0.02] + [5, -40, 0]
        x[:, 2] += 1e-4 * x[:, 1]
        y = 70 + x @ [4.0, 0.03, 100] + generator.normal(size=200) * 6
        rows = "\n".join(",".join(f"{value:.6f}" for value in row) for row in np.c_[x, y])
        path = tmp_path / "measured.csv"
        path.write_text(f"a,b,c,d\n{rows}\n")
        return str(path)

    @staticmethod
    def standardised(built):
        x, y = (array.astype("float64") for array in built.data.train.arrays)
        return (x - x.mean(0)) / x.std(0), (y[:, 0] - y.mean()) / y.std()

    def test_the_loss_is_the_half_squared_error_of_the_standardised_target(self, table):
        """Against least squares in closed form, where gradient descent on the whole ends."""
        built = linear_table.recipe(data=table, target="d", learning_rate=0.5, batch_size=1500, epochs=60)
        assert built.data.train.steps == 1
        x, y = self.standardised(built)
        weights, *_ = np.linalg.lstsq(x, y, rcond=None)
        least = np.mean((x @ weights - y) ** 2) / 2
        found = score(trained(built), built.data.train)
        assert found["loss"] == pytest.approx(least, rel=1e-4)
        spread = built.data.train.arrays[1].std()
        assert found["root_mean_squared_error"] == pytest.approx(spread * np.sqrt(2 * least), rel=1e-4)

    def test_descent_diverges_beyond_two_over_the_largest_eigenvalue(self, table):
        def losses(factor):
            seed_everything(0)
            built = linear_table.recipe(data=table, target="d", batch_size=1500)
            x, _ = self.standardised(built)
            built.model.optimizer.learning_rate = factor * 2 / np.linalg.eigvalsh(x.T @ x / len(x)).max()
            return [score(trained(built, epochs), built.data.train)["loss"] for epochs in (20, 20)]

        first, second = losses(0.95)
        assert second < first
        first, second = losses(1.05)
        assert second > 4 * first

    def test_the_first_prediction_is_about_the_mean(self, table):
        seed_everything(0)
        built = linear_table.recipe(data=table, target="d")
        assert score(built.model, built.data.train)["loss"] == pytest.approx(0.5, abs=0.02)

    def test_without_validation_it_trains_on_all_but_the_test_rows(self, table):
        built = linear_table.recipe(data=table, target="d", validation=0)
        assert (built.data.train.size, built.data.test.size, built.data.validation) == (160, 40, None)
        assert built.objective == ("loss", "min")

    def test_momentum(self):
        assert linear_table.recipe(optimizer="momentum").model.optimizer.momentum == 0.9
        assert linear_table.recipe(optimizer="momentum", momentum=0.5).model.optimizer.momentum == 0.5
        with pytest.raises(zoo.ZooError, match="'adam' has no option 'momentum'"):
            linear_table.recipe(optimizer="adam", momentum=0.5)

    def test_classes_are_refused(self):
        with pytest.raises(zoo.ZooError, match="the task classification"):
            linear_table.recipe(data="wine")


class TestDepth:
    @pytest.mark.parametrize("layers", [1, 2, 3, 5, 8])
    @pytest.mark.parametrize("parameters", [2_000, 20_000, 300_000])
    def test_the_width_is_the_nearest(self, layers, parameters):
        def count(width):
            return 65 * width + (layers - 1) * (width + 1) * width + (width + 1) * 10

        found = depth_digits.width(layers, parameters)
        distances = [abs(count(width) - parameters) for width in range(1, 5000)]
        assert distances[found - 1] == min(distances)

    def test_the_model_has_these_parameters(self):
        for layers in (1, 8):
            model = depth_digits.recipe(layers=layers, parameters=20_000).model
            assert model.count_params() == pytest.approx(20_000, rel=0.02)
            assert sum(isinstance(layer, keras.layers.Dense) for layer in model.layers) == layers + 1

    def test_too_few_parameters(self):
        assert depth_digits.width(1, 85) == 1
        with pytest.raises(zoo.ZooError, match="3 layers of one unit have 89 parameters"):
            depth_digits.width(3, 10)
        with pytest.raises(zoo.ZooError, match="layers must be a whole number >= 1"):
            depth_digits.recipe(layers=0)


class TestGates:
    def right(self, seed, **hyper):
        seed_everything(seed)
        built = mlp_xor.recipe(**hyper)
        return round(4 * score(trained(built), built.data.test)["accuracy"])

    @pytest.mark.parametrize("seed", range(5))
    def test_two_layers_learn_xor(self, seed):
        assert self.right(seed) == 4

    @pytest.mark.parametrize("gate", ["and", "or", "nand"])
    def test_one_layer_learns_what_a_line_separates(self, gate):
        assert self.right(0, gate=gate, hidden=()) == 4

    def test_one_layer_does_not_learn_xor(self):
        assert self.right(0, hidden=()) <= 3

    def test_unknown_gate(self):
        with pytest.raises(zoo.ZooError, match="Did you mean 'nand'"):
            mlp_xor.recipe(gate="nandd")

    def test_picture_of_a_study_with_a_run_that_diverged(self, tmp_path):
        result = zoo.train("mlp_xor", epochs=2, folder=tmp_path / "run", export=False, verbose=0)
        assert (result.folder / "regions.png").is_file()
        (tmp_path / "empty").mkdir()
        runs = [({"gate": "xor"}, [tmp_path / "empty", result.folder]), ({"gate": "or"}, [tmp_path / "empty"])]
        (drawn,) = mlp_xor.pictures(runs, tmp_path)
        assert drawn.is_file()
        assert mlp_xor.pictures(runs[1:], tmp_path) == []
