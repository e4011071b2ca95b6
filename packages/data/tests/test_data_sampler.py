"""Samplers: what they yield, what they refuse, and when they draw."""

import pytest

import taeda
from taeda.data import (
    BatchSampler,
    DataLoader,
    DistributedSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    SubsetRandomSampler,
    TensorDataset,
    WeightedRandomSampler,
)
from taeda.data.sampler import index_blocks


def generator(seed=0):
    g = taeda.Generator()
    g.manual_seed(seed)
    return g


def test_random_sampler_visits_every_row_once_and_repeats_for_a_seed():
    first = list(RandomSampler(range(50), generator=generator(3)))
    assert sorted(first) == list(range(50))
    assert first != list(range(50))
    assert first == list(RandomSampler(range(50), generator=generator(3)))


def test_random_sampler_without_generator_follows_the_default_one():
    sampler = RandomSampler(range(20))
    taeda.manual_seed(5)
    first, second = list(sampler), list(sampler)
    taeda.manual_seed(5)
    assert list(sampler) == first
    assert first != second


def test_more_samples_than_rows_are_whole_orders_one_after_another():
    order = list(RandomSampler(range(4), num_samples=10, generator=generator()))
    assert sorted(order[:4]) == sorted(order[4:8]) == [0, 1, 2, 3]
    assert len(order) == 10


def test_replacement_draws_in_range():
    order = list(RandomSampler(range(3), replacement=True, num_samples=100, generator=generator()))
    assert len(order) == 100
    assert set(order) == {0, 1, 2}


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"replacement": 1}, TypeError, "replacement should be a boolean value, but got replacement=1"),
        (
            {"num_samples": 0},
            ValueError,
            "num_samples should be a positive integer value, but got num_samples=0",
        ),
        ({"num_samples": 1.5}, ValueError, "positive integer"),
    ],
)
def test_random_sampler_refuses(arguments, error, words):
    with pytest.raises(error, match=words):
        RandomSampler(range(3), **arguments)


def test_an_empty_dataset_cannot_be_shuffled_and_the_error_says_so():
    with pytest.raises(ValueError, match="num_samples=0; the dataset is empty"):
        RandomSampler([])


def test_subset_random_sampler_gives_each_index_once():
    assert sorted(SubsetRandomSampler([7, 3, 5], generator=generator())) == [3, 5, 7]


def test_weighted_sampler_never_draws_a_zero_weight():
    order = list(WeightedRandomSampler([0.0, 2.0, 0.0, 1.0], 200, generator=generator()))
    assert set(order) == {1, 3}
    assert order.count(1) > order.count(3)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (([1.0], True), "num_samples should be a positive integer"),
        (([1.0], -1), "num_samples=-1"),
        (([1.0], 1, 0), "replacement should be a boolean value"),
        (([[1.0, 2.0]], 1), r"weights have shape \(1, 2\)"),
    ],
)
def test_weighted_sampler_refuses(arguments, words):
    with pytest.raises(ValueError, match=words):
        WeightedRandomSampler(*arguments)


def test_batch_sampler_cuts_and_drops():
    assert list(BatchSampler(range(5), 2, False)) == [[0, 1], [2, 3], [4]]
    assert list(BatchSampler(range(5), 2, True)) == [[0, 1], [2, 3]]
    assert len(BatchSampler(range(5), 2, False)) == 3
    assert len(BatchSampler(range(5), 2, True)) == 2


@pytest.mark.parametrize("size", [0, -1, True, 1.5, "2"])
def test_batch_sampler_refuses_a_size(size):
    with pytest.raises(ValueError, match="batch_size should be a positive integer value"):
        BatchSampler(range(3), size, False)


def test_batch_sampler_refuses_drop_last_that_is_no_bool():
    with pytest.raises(ValueError, match="drop_last should be a boolean value, but got drop_last=1"):
        BatchSampler(range(3), 1, 1)


@pytest.mark.parametrize("lengths", [[7], [3, 4], [3, 3, 1], [5, 0, 5], [1, 1, 1, 1], [0], [6, 1]])
@pytest.mark.parametrize("size", [1, 2, 3, 7, 9])
@pytest.mark.parametrize("drop_last", [False, True])
def test_index_blocks_cut_a_stream_of_tensors_as_batch_sampler_cuts_its_indices(lengths, size, drop_last):
    start, chunks = 0, []
    for length in lengths:
        chunks.append(taeda.arange(start, start + length))
        start += length
    flat = [i for chunk in chunks for i in chunk.tolist()]
    blocks = [block.tolist() for block in index_blocks(iter(chunks), size, drop_last)]
    assert blocks == list(BatchSampler(flat, size, drop_last))


def test_index_blocks_ask_for_a_chunk_no_earlier_than_needed():
    asked = []

    def chunks():
        for i in range(3):
            asked.append(i)
            yield taeda.arange(4)

    blocks = index_blocks(chunks(), 2, False)
    next(blocks), next(blocks)
    assert asked == [0]
    next(blocks)
    assert asked == [0, 1]


def test_distributed_samplers_share_the_rows_out():
    parts = [list(DistributedSampler(range(10), 3, rank)) for rank in range(3)]
    assert [len(part) for part in parts] == [4, 4, 4]
    assert set().union(*parts) == set(range(10))
    dropped = [list(DistributedSampler(range(10), 3, rank, drop_last=True)) for rank in range(3)]
    assert len(set().union(*dropped)) == 9


def test_distributed_sampler_shuffles_by_epoch():
    sampler = DistributedSampler(range(20), 2, 0)
    first = list(sampler)
    assert list(sampler) == first
    sampler.set_epoch(1)
    assert list(sampler) != first


def test_distributed_sampler_wants_to_know_its_place():
    with pytest.raises(ValueError, match="give both"):
        DistributedSampler(range(3))
    with pytest.raises(ValueError, match=r"Invalid rank 2, rank should be in the interval \[0, 1\]"):
        DistributedSampler(range(3), 2, 2)


def test_a_sampler_must_define_iter():
    with pytest.raises(NotImplementedError):
        iter(Sampler())


def test_sequential_sampler():
    assert list(SequentialSampler("abc")) == [0, 1, 2]
    assert len(SequentialSampler("abc")) == 3


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize(
    ("dataset", "cure"),
    [(5, "a dataset has __len__ and __getitem__"), (iter([1]), "walked through is an IterableDataset"), (TensorDataset, "TensorDataset is a class: give an object")],
    ids=["int", "iterator", "class"],
)
def test_what_has_no_length_is_told_what_is_missing(dataset, cure, shuffle):
    with pytest.raises(TypeError, match=rf"^\[DataLoader\] object of type '\w+' has no len\(\); .*{cure}"):
        list(DataLoader(dataset, shuffle=shuffle))


def test_a_length_that_raises_raises():
    class Broken:
        def __len__(self):
            raise TypeError("on purpose")

        def __getitem__(self, i):
            return i

    with pytest.raises(TypeError, match="^on purpose$"):
        list(DataLoader(Broken()))
