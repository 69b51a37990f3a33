"""What every test shares: quiet libraries, a working directory of its own, and the rule for real data."""

import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import pytest  # noqa: E402


def prepared(name):
    """Whether a tensorflow-datasets set lies where TFDS looks for it."""
    folder = os.environ.get("TFDS_DATA_DIR")
    home = Path(folder) if folder else Path.home() / "tensorflow_datasets"
    return (home / name).is_dir()


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
