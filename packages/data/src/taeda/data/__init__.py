"""Datasets, samplers, collation and the DataLoader: what stands between files and a training loop.

    dataset.py        what a sample is; Rows, many samples at once
    sampler.py        in which order samples come; distributed.py: each process its share
    fetch.py          from indices to a collated batch; collate.py: many samples into one batch
    dataloader.py     the DataLoader and its iterators
    pool.py           the training process's side of workers; worker.py: theirs; transport.py: how batches travel
    info.py           what a worker may ask about itself
    datapipes/        PyTorch's pipes, with graph_settings.py; _utils/: PyTorch's inner names
    progress.py       a progress bar

The names, arguments, defaults and the order of samples for a seed are those of ``torch.utils.data``. A batch
of a `TensorDataset` is one row gather per tensor, not one indexing per row.
"""

import taeda

__version__ = "0.1.0"

_core = getattr(taeda, "__version__", None)  # None: the namespace is there, core is not
if _core != __version__:
    raise ImportError(
        f"taeda-data {__version__} needs taeda-core {__version__}, but "
        + (f"taeda-core {_core} is installed" if _core else "taeda-core is not installed")
        + f": pip install taeda-core=={__version__} taeda-data=={__version__}"
    )

from taeda.data import _utils
from taeda.data.collate import default_collate, default_convert
from taeda.data.dataloader import DataLoader
from taeda.data.datapipes._decorator import functional_datapipe
from taeda.data.datapipes.datapipe import IterDataPipe, MapDataPipe
from taeda.data.dataset import (
    ChainDataset,
    ConcatDataset,
    Dataset,
    IterableDataset,
    StackDataset,
    Subset,
    TensorDataset,
    random_split,
)
from taeda.data.distributed import DistributedSampler
from taeda.data.fetch import _DatasetKind
from taeda.data.info import get_worker_info
from taeda.data.sampler import (
    BatchSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)

__all__ = [
    "BatchSampler",
    "ChainDataset",
    "ConcatDataset",
    "DataLoader",
    "Dataset",
    "DistributedSampler",
    "IterDataPipe",
    "IterableDataset",
    "MapDataPipe",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "StackDataset",
    "Subset",
    "SubsetRandomSampler",
    "TensorDataset",
    "WeightedRandomSampler",
    "_DatasetKind",
    "_utils",
    "default_collate",
    "default_convert",
    "functional_datapipe",
    "get_worker_info",
    "random_split",
]
