"""The process of a worker, or of the chief, that `zoo tune --parallel` starts with the search's folder."""

import os
import sys

from zoo.quiet import native_logs_hidden
from zoo.search import lifeline

if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    lifeline.hold()
    with native_logs_hidden():
        from zoo.search import worker
    sys.exit(worker.main(sys.argv[1]))
