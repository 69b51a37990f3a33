"""What every test shares: quiet libraries, a working directory of its own, the rule for real data, cheap processes."""

import contextlib
import gc
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import pytest  # noqa: E402
import warm  # noqa: E402

# Python looks for cycles after every 700 objects, and graphs are many objects that stay: it was a tenth of the time.
gc.set_threshold(50_000, 10, 10)


def prepared(name):
    """Whether a tensorflow-datasets set lies where TFDS looks for it."""
    folder = os.environ.get("TFDS_DATA_DIR")
    home = Path(folder) if folder else Path.home() / "tensorflow_datasets"
    return (home / name).is_dir()


# Files that take minutes begin first: at the end of a run no worker waits for one of them.
LONGEST = ["test_recipe_contract.py", "test_model_contract.py", "test_learning.py", "test_jax.py", "test_resume.py"]


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: LONGEST.index(item.path.name) if item.path.name in LONGEST else len(LONGEST))


def pytest_collection_finish(session):
    """What was imported stays: no search for cycles looks at it again."""
    gc.freeze()


def pytest_runtest_setup(item):
    """Real data that is absent skips a test and says so, or fails it when ZOO_REQUIRE_DATA is set."""
    for marker in item.iter_markers("real_data"):
        (name,) = marker.args
        if prepared(name):
            continue
        message = f"needs the prepared tensorflow-datasets set {name!r} in TFDS_DATA_DIR"
        if os.environ.get("ZOO_REQUIRE_DATA"):
            pytest.fail(message)
        pytest.skip(message)


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    """Tests that write into `runs/` write into a folder of their own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def pythons():
    """Starts Python processes that have TensorFlow already: see `warm`."""
    with contextlib.closing(warm.Pythons()) as started:
        yield started


@pytest.fixture(scope="session", autouse=True)
def exports_are_checked_by_warm_processes(pythons):
    """Each export is checked in a process of its own still. tests/test_savedmodel.py has the real ones."""
    from zoo import _fresh

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_fresh, "subprocess", pythons.instead_of_subprocess(_fresh.SCRIPT))
        yield
