"""Files that appear all at once or not at all."""

import contextlib
import shutil
import tempfile
from pathlib import Path

from zoo.errors import ZooError


def refuse_existing(targets, overwrite):
    """Raises when a target is there already and may not, or must not, be replaced.

    Args:
        targets: paths.
        overwrite: whether the caller asked for existing ones to be replaced. A folder is replaced only when it is
            empty or holds a SavedModel: a mistyped path never costs anything else.

    Raises:
        ZooError: naming the path.
    """
    for path in targets:
        if not path.exists():
            continue
        if not overwrite:
            raise ZooError(f"{path} is there already. Choose another path, or replace it with overwrite=True.")
        if path.is_dir() and any(path.iterdir()) and not (path / "saved_model.pb").is_file():
            raise ZooError(f"{path} is a folder that holds no SavedModel: it is not replaced. Choose another path.")


@contextlib.contextmanager
def staged(targets):
    """Yields where to write files that are renamed to their place when the block ends, and vanish when it raises.

    Args:
        targets: paths in one folder, which is made when missing. One that the block does not write is removed from
            the place, so that nothing of an earlier export stays beside a new one.

    Yields:
        A scratch folder in the same file system. A target belongs at `folder / target.name`; other files there are
        dropped.
    """
    home = targets[0].parent
    made = [folder for folder in (home, *home.parents) if not folder.exists()]
    home.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{targets[0].name}.", suffix=".partial", dir=home))
    try:
        yield folder
        _place(folder, targets)
    except BaseException:
        shutil.rmtree(folder)
        with contextlib.suppress(OSError):  # somebody else wrote there meanwhile
            for missing in made:
                missing.rmdir()
        raise
    shutil.rmtree(folder)


def _place(folder, targets):
    # A folder cannot be renamed over another, so what is replaced steps aside first, and comes back if a step fails.
    done = []
    try:
        for number, target in enumerate(targets):
            aside, new = folder / f"replaced.{number}", folder / target.name
            if target.exists():
                target.rename(aside)
                done.append((aside, target))
            if new.exists():
                new.rename(target)
                done.append((target, new))
    except OSError:
        for now, before in reversed(done):
            now.rename(before)
        raise
