"""DataLoader in one process: batches, order, options and their errors."""

import pytest

import taeda
from taeda.data import (
    BatchSampler,
    DataLoader,
    IterableDataset,
    RandomSampler,
    SequentialSampler,
    StackDataset,
    Subset,
    TensorDataset,
    random_split,
)


def data(n=10):
    return TensorDataset(taeda.arange(n * 3).reshape(n, 3), taeda.arange(n))


class General(TensorDataset):
    """The same samples on the general road: a subclass is never gathered."""


class Count(IterableDataset):
    def __init__(self, n):
        self.n = n

    def __iter__(self):
        return iter(range(self.n))


class Sized(Count):
    def __len__(self):
        return self.n


def labels(loader):
    return [y.tolist() for _, y in loader]


def test_batches_come_in_order_and_the_last_is_short():
    loader = DataLoader(data(), batch_size=4)
    assert labels(loader) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert len(loader) == 3
    x, _ = next(iter(loader))
    assert x.tolist() == [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9, 10, 11]]
    assert labels(DataLoader(data(), batch_size=4, drop_last=True)) == [[0, 1, 2, 3], [4, 5, 6, 7]]


@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize(
    "wrap", [lambda d: d, lambda d: Subset(d, [9, 2, 5, 7, 1, 0, 3]), lambda d: random_split(d, [7, 3])[0]]
)
def test_the_gathered_road_and_the_general_one_agree_and_draw_alike(wrap, drop_last):
    results = []
    for kind in (TensorDataset, General):
        taeda.manual_seed(2)
        source = wrap(kind(*data().tensors))
        loader = DataLoader(source, batch_size=3, shuffle=True, drop_last=drop_last)
        epochs = [[(x.tolist(), y.tolist()) for x, y in loader] for _ in range(2)]
        results.append((epochs, taeda.rand(1).item()))
    assert results[0] == results[1]


def test_gathering_is_used_for_plain_tensor_datasets_and_their_subsets(monkeypatch):
    def forbidden(self, indices):
        raise AssertionError("rows were fetched one by one")

    monkeypatch.setattr(TensorDataset, "__getitem__", forbidden)
    loader = DataLoader(random_split(data(), [0.5, 0.5])[0], batch_size=2, shuffle=True)
    assert sum(len(y) for y in labels(loader)) == 5


def test_gathering_reaches_tensors_and_stacks_of_them(monkeypatch):
    monkeypatch.setattr(StackDataset, "__getitems__", None)
    source = StackDataset(x=taeda.arange(6), y=Subset(data(), [5, 4, 3, 2, 1, 0]))
    batches = list(DataLoader(source, batch_size=4))
    assert [b["x"].tolist() for b in batches] == [[0, 1, 2, 3], [4, 5]]
    assert [b["y"][1].tolist() for b in batches] == [[5, 4, 3, 2], [1, 0]]
    assert [b.tolist() for b in DataLoader(taeda.arange(5), batch_size=3)] == [[0, 1, 2], [3, 4]]


def test_a_batch_does_not_share_memory_with_the_dataset():
    source = data()
    for x, _ in DataLoader(source, batch_size=5):
        x.zero_()
    assert source.tensors[0][9].tolist() == [27, 28, 29]


def test_gradients_reach_the_dataset_through_a_batch():
    w = taeda.ones(4, 2, requires_grad=True)
    for (x,) in DataLoader(TensorDataset(w), batch_size=3):
        x.sum().backward()
    assert w.grad.tolist() == [[1.0, 1.0]] * 4


def test_negative_indices_of_a_subset_count_from_the_end():
    assert labels(DataLoader(Subset(data(), [-1, 0]), batch_size=2)) == [[9, 0]]


def test_a_sampler_past_the_end_raises_index_error():
    with pytest.raises(IndexError):
        list(DataLoader(data(3), sampler=[0, 5], batch_size=2))


def test_shuffle_changes_each_epoch_and_repeats_for_a_seed():
    loader = DataLoader(data(), batch_size=4, shuffle=True)
    taeda.manual_seed(0)
    first, second = labels(loader), labels(loader)
    taeda.manual_seed(0)
    assert labels(loader) == first
    assert first != second
    assert sorted(i for batch in first for i in batch) == list(range(10))


def test_a_generator_decides_the_order_and_leaves_the_default_stream_alone():
    def order(seed):
        g = taeda.Generator()
        g.manual_seed(seed)
        return labels(DataLoader(data(), shuffle=True, generator=g))

    taeda.manual_seed(1)
    before = taeda.get_rng_state()
    assert order(7) == order(7) != order(8)
    assert taeda.equal(before, taeda.get_rng_state())


def test_batch_size_none_gives_samples():
    out = list(DataLoader([{"a": 1}, {"a": 2}], batch_size=None))
    assert out == [{"a": 1}, {"a": 2}]


def test_a_batch_sampler_is_obeyed():
    loader = DataLoader(data(), batch_sampler=[[1, 2], [9]])
    assert labels(loader) == [[1, 2], [9]]
    assert loader.batch_size is None
    assert len(loader) == 2


def test_collate_fn_gets_a_plain_list_of_samples():
    seen = []

    def collate(batch):
        seen.append(type(batch))
        batch.sort(key=lambda sample: -int(sample[1]))
        return [int(y) for _, y in batch]

    assert list(DataLoader(data(4), batch_size=2, collate_fn=collate)) == [[1, 0], [3, 2]]
    assert seen == [list, list]


def test_a_stream_is_batched():
    assert [b.tolist() for b in DataLoader(Count(5), batch_size=2)] == [[0, 1], [2, 3], [4]]
    assert [b.tolist() for b in DataLoader(Count(5), batch_size=2, drop_last=True)] == [[0, 1], [2, 3]]
    assert list(DataLoader(Count(3), batch_size=None)) == [0, 1, 2]
    assert len(DataLoader(Sized(5), batch_size=2)) == 3


def test_a_stream_longer_than_it_said_warns():
    class Liar(Count):
        def __len__(self):
            return 1

    loader = DataLoader(Liar(3), batch_size=None)
    assert len(loader) == 1
    with pytest.warns(UserWarning, match="was reported to be 1"):
        list(loader)


def test_an_empty_dataset_gives_no_batches_and_cannot_be_shuffled():
    assert list(DataLoader([])) == []
    with pytest.raises(ValueError, match="the dataset is empty"):
        DataLoader([], shuffle=True)


def test_stop_iteration_in_a_dataset_does_not_end_the_epoch_silently():
    class Broken:
        def __len__(self):
            return 3

        def __getitem__(self, i):
            raise StopIteration

    with pytest.raises(RuntimeError, match="raised StopIteration for index"):
        list(DataLoader(Broken()))


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"num_workers": 1.5}, TypeError, "num_workers should be a number, got 1.5"),
        ({"timeout": "1"}, TypeError, "timeout should be a number, got '1'"),
        ({"collate_fn": 3}, TypeError, "collate_fn should be a function, got 3"),
        ({"worker_init_fn": 3}, TypeError, "worker_init_fn should be a function"),
        ({"num_workers": -1}, ValueError, "num_workers option should be non-negative"),
        ({"timeout": -1}, ValueError, "timeout option should be non-negative"),
        (
            {"prefetch_factor": 2},
            ValueError,
            "prefetch_factor option could only be specified in multiprocessing",
        ),
        (
            {"num_workers": 1, "prefetch_factor": -2},
            ValueError,
            "prefetch_factor option should be non-negative",
        ),
        ({"persistent_workers": True}, ValueError, "persistent_workers option needs num_workers > 0"),
        ({"sampler": [0], "shuffle": True}, ValueError, "sampler option is mutually exclusive with shuffle"),
        ({"batch_sampler": [[0]], "batch_size": 2}, ValueError, "batch_sampler option is mutually exclusive"),
        ({"batch_sampler": [[0]], "shuffle": True}, ValueError, "batch_sampler option is mutually exclusive"),
        (
            {"batch_sampler": [[0]], "drop_last": True},
            ValueError,
            "batch_sampler option is mutually exclusive",
        ),
        (
            {"batch_size": None, "drop_last": True},
            ValueError,
            "batch_size=None option disables auto-batching",
        ),
        (
            {"batch_size": 0},
            ValueError,
            "batch_size should be a positive integer value, but got batch_size=0",
        ),
        ({"multiprocessing_context": "fork"}, ValueError, "can only be used with multi-process loading"),
        (
            {"multiprocessing_context": "x", "num_workers": 1},
            ValueError,
            "should specify a valid start method",
        ),
        ({"multiprocessing_context": 3, "num_workers": 1}, TypeError, "should be a valid context object"),
    ],
)
def test_options_that_exclude_one_another(options, error, words):
    with pytest.raises(error, match=words):
        DataLoader(data(), **options)


@pytest.mark.parametrize("option", [{"shuffle": True}, {"sampler": [0]}, {"batch_sampler": [[0]]}])
def test_a_stream_refuses_an_order(option):
    with pytest.raises(ValueError, match=f"expected unspecified {next(iter(option))} option"):
        DataLoader(Count(3), **option)


def test_a_timeout_without_workers_is_refused():
    with pytest.raises(AssertionError, match="a timeout needs workers"):
        iter(DataLoader(data(), timeout=1))


@pytest.mark.parametrize(
    "name", ["batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers"]
)
def test_what_shapes_the_batches_is_fixed(name):
    loader = DataLoader(data())
    with pytest.raises(
        ValueError, match=f"{name} attribute should not be set after DataLoader is initialized"
    ):
        setattr(loader, name, 1)


def test_attributes_are_pytorchs():
    loader = DataLoader(data(), batch_size=3, shuffle=True)
    assert isinstance(loader.sampler, RandomSampler)
    assert isinstance(loader.batch_sampler, BatchSampler)
    assert isinstance(DataLoader(data()).sampler, SequentialSampler)
    assert (loader.batch_size, loader.num_workers, loader.drop_last, loader.pin_memory) == (
        3,
        0,
        False,
        False,
    )


def test_pin_memory_without_a_gpu_warns():
    if getattr(taeda, "cuda", None) is not None and taeda.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.warns(UserWarning, match="no accelerator is found"):
        assert len(list(DataLoader(data(), pin_memory=True))) == 10


def test_an_iterator_cannot_be_pickled():
    import pickle

    with pytest.raises(NotImplementedError, match="cannot be pickled"):
        pickle.dumps(iter(DataLoader(data())))
