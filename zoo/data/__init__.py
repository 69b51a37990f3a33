"""Data: every function returns a `zoo.Data` of `Stream`s, whose batches are a function of (seed, epoch, step).

TensorFlow is imported when a stream is opened and when a set of TensorFlow Datasets is loaded, not before: arrays,
folders, tables, augmentation and `Stream.batch` need numpy alone.
"""

from zoo.data import paired
from zoo.data.assemble import check_labels, from_arrays
from zoo.data.assemble_masks import from_masks
from zoo.data.augment import affine, crop, elastic, flip, shift
from zoo.data.auxiliary import repeated
from zoo.data.bagging import bootstrap
from zoo.data.erase import cutout
from zoo.data.experience import Episodes, Experience, experience
from zoo.data.fits import check_fits
from zoo.data.images import images
from zoo.data.long_range import adding
from zoo.data.mixup import cutmix, mixup
from zoo.data.noise import noise
from zoo.data.pixels import read_image
from zoo.data.randaugment import randaugment
from zoo.data.reconstruction import reconstruction
from zoo.data.reviews import reviews
from zoo.data.ring import ring
from zoo.data.segmentation import segmentation
from zoo.data.series import series
from zoo.data.shards import StoredImages
from zoo.data.shards_writing import write_shards
from zoo.data.stream import Stream
from zoo.data.super_resolution import super_resolution
from zoo.data.table import table
from zoo.data.text import text
from zoo.data.text_pairs import text_pairs
from zoo.data.text_stream import TextStream
from zoo.data.translation import translation

__all__ = [
    "Episodes",
    "Experience",
    "Stream",
    "adding",
    "affine",
    "bootstrap",
    "check_fits",
    "check_labels",
    "crop",
    "cutmix",
    "cutout",
    "experience",
    "elastic",
    "flip",
    "from_arrays",
    "from_masks",
    "images",
]
__all__ += ["mixup", "noise", "paired", "randaugment", "read_image", "reconstruction", "repeated", "segmentation"]
__all__ += ["TextStream", "reviews", "ring", "series", "shift", "super_resolution", "table", "text"]
__all__ += ["text_pairs", "translation", "write_shards", "StoredImages"]
