"""Datasets: indexing, batches, splitting, and what they refuse."""

import pytest

import taeda
from taeda.data import (
    ChainDataset,
    ConcatDataset,
    DataLoader,
    Dataset,
    IterableDataset,
    IterDataPipe,
    StackDataset,
    Subset,
    TensorDataset,
    default_collate,
    random_split,
)
from taeda.data.dataset import samples_of


class Count(IterableDataset):
    def __init__(self, n):
        self.n = n

    def __iter__(self):
        return iter(range(self.n))

    def __len__(self):
        return self.n


def pair():
    return taeda.arange(12).reshape(6, 2), taeda.arange(6) * 10


def test_a_stream_defines_its_iteration():
    class Forgetful(IterableDataset):
        pass

    with pytest.raises(TypeError, match="abstract class Forgetful with.* abstract method '?__iter__"):
        Forgetful()


def test_a_pipe_may_be_its_own_iterator():
    class Countdown(IterDataPipe):
        left = 3

        def __next__(self):
            if not self.left:
                raise StopIteration
            self.left -= 1
            return self.left

    assert list(Countdown()) == [2, 1, 0]


def test_tensor_dataset_gives_tuples_of_rows():
    x, y = pair()
    data = TensorDataset(x, y)
    row, label = data[2]
    assert (row.tolist(), label.item()) == ([4, 5], 20)
    assert len(data) == 6
    rows, labels = data[1:3]
    assert (rows.tolist(), labels.tolist()) == ([[2, 3], [4, 5]], [10, 20])


def test_samples_of_a_tensor_dataset_act_as_the_list_of_samples():
    data = TensorDataset(*pair())
    rows = samples_of(data, [4, 0, -1])
    assert len(rows) == 3
    assert [(x.tolist(), y.item()) for x, y in rows] == [([8, 9], 40), ([0, 1], 0), ([10, 11], 50)]
    assert rows[1][1].item() == 0
    assert [y.item() for _, y in rows[1:]] == [0, 50]
    x, y = default_collate(rows)
    assert (x.tolist(), y.tolist()) == ([[8, 9], [0, 1], [10, 11]], [40, 0, 50])


def test_samples_of_a_subclass_come_from_its_getitem():
    class Doubled(TensorDataset):
        def __getitem__(self, i):
            return self.tensors[1][i] * 2

    assert [int(v) for v in samples_of(Doubled(*pair()), [1, 2])] == [20, 40]


def test_samples_out_of_range_raises_index_error():
    with pytest.raises(IndexError):
        samples_of(TensorDataset(*pair()), [0, 6])


def test_an_index_that_is_no_number_is_refused_as_by_the_tensor():
    with pytest.raises((TypeError, IndexError)):
        samples_of(TensorDataset(*pair()), ["a"])


def test_a_batch_is_memory_of_its_own():
    x, y = pair()
    batch, _ = default_collate(samples_of(TensorDataset(x, y), [0, 1]))
    batch.zero_()
    assert x[1].tolist() == [2, 3]


@pytest.mark.parametrize(
    ("tensors", "error", "words"),
    [
        (
            lambda: (taeda.zeros(3), taeda.zeros(4, 2)),
            AssertionError,
            r"Size mismatch between tensors.*\(3,\), \(4, 2\)",
        ),
        (lambda: (), ValueError, "at least one tensor"),
        (lambda: (taeda.zeros(2), [1, 2]), TypeError, "argument 1 is list"),
        (lambda: (taeda.tensor(1.0),), IndexError, "tensor 0 has no dimensions"),
    ],
)
def test_tensor_dataset_refuses(tensors, error, words):
    with pytest.raises(error, match=words):
        TensorDataset(*tensors())


def test_adding_concatenates_or_chains():
    joined = TensorDataset(taeda.arange(3)) + TensorDataset(taeda.arange(2))
    assert isinstance(joined, ConcatDataset)
    assert [int(joined[i][0]) for i in range(5)] == [0, 1, 2, 0, 1]
    chained = Count(2) + Count(3)
    assert isinstance(chained, ChainDataset)
    assert list(chained) == [0, 1, 0, 1, 2]
    assert len(chained) == 5


def test_concat_dataset_counts_from_the_end_and_knows_its_ends():
    data = ConcatDataset(["ab", "", "cd"])
    assert [data[i] for i in (-1, -4, 2)] == ["d", "a", "c"]
    assert data.cumulative_sizes == [2, 2, 4]
    with pytest.raises(
        ValueError, match="absolute value of index should not exceed dataset length, got index -5"
    ):
        data[-5]
    with pytest.raises(IndexError, match="index 4 is out of range for length 4"):
        data[4]


def test_concat_dataset_refuses():
    with pytest.raises(AssertionError, match="empty iterable"):
        ConcatDataset([])
    with pytest.raises(AssertionError, match="does not support IterableDataset"):
        ConcatDataset([Count(1)])


def test_chain_dataset_refuses_what_has_an_index():
    with pytest.raises(AssertionError, match="only supports IterableDataset"):
        list(ChainDataset([[1, 2]]))


def test_stack_dataset_by_position_and_by_name():
    x, y = pair()
    data = StackDataset(TensorDataset(x, y), "abcdef")
    (row, label), letter = data[1]
    assert (row.tolist(), label.item(), letter) == ([2, 3], 10, "b")
    named = StackDataset(letter="abcdef", number=range(6))
    assert named.__getitems__([5, 0]) == [{"letter": "f", "number": 5}, {"letter": "a", "number": 0}]
    assert len(named) == 6


@pytest.mark.parametrize(
    ("args", "kwargs", "words"),
    [
        ((), {}, "At least one"),
        (("ab", "abc"), {}, r"lengths are \[2, 3\]"),
        (("a",), {"b": "a"}, "both types"),
    ],
)
def test_stack_dataset_refuses(args, kwargs, words):
    with pytest.raises(ValueError, match=words):
        StackDataset(*args, **kwargs)


def test_stack_dataset_checks_the_size_that_a_part_returns():
    class Short(list):
        def __getitems__(self, indices):
            return []

    with pytest.raises(ValueError, match=r"output size mismatch\. Expected 1, got 0"):
        StackDataset(Short([1, 2])).__getitems__([0])


def test_subset_passes_batches_through():
    subset = Subset(TensorDataset(*pair()), [5, 3, 1])
    assert [int(y) for _, y in subset.__getitems__([2, 0])] == [10, 50]
    assert int(subset[1][1]) == 30
    assert Subset("abc", [2, 1]).__getitems__([1]) == ["b"]
    assert len(subset) == 3


class Shifted:
    """What many programs put around a dataset: a change of the samples, all else passed on."""

    def __init__(self, inner):
        self.inner = inner

    def __getattr__(self, name):
        return getattr(self.__dict__["inner"], name)

    def __len__(self):
        return len(self.inner)

    def __getitem__(self, i):
        x, y = self.inner[i]
        return x, y + 1000


@pytest.mark.parametrize("around", [lambda d: d, lambda d: Subset(d, range(6)), lambda d: StackDataset(d)])
def test_an_object_that_passes_attributes_on_keeps_its_change_of_the_samples(around):
    batches = list(DataLoader(around(Shifted(TensorDataset(*pair()))), batch_size=4))
    labels = [label for batch in batches for label in (batch[0][1] if len(batch) == 1 else batch[1]).tolist()]
    assert labels == [1000, 1010, 1020, 1030, 1040, 1050]


def test_what_a_subclass_of_subset_gets_is_a_list():
    class Twice(Subset):
        def __getitems__(self, indices):
            samples = super().__getitems__(indices)
            samples.append(samples[0])
            return samples

    (batch,) = DataLoader(Twice(TensorDataset(*pair()), [5, 3]), batch_size=2)
    assert batch[1].tolist() == [50, 30, 50]


def test_subset_with_one_half_overridden_is_refused():
    class Half(Subset):
        def __getitem__(self, i):
            return i

    with pytest.raises(NotImplementedError, match="Half overrides __getitem__ but not __getitems__"):
        Half("abc", [0])


def test_random_split_by_fractions_gives_the_rest_to_the_first():
    taeda.manual_seed(1)
    parts = random_split(range(11), [0.5, 0.25, 0.25])
    assert [len(part) for part in parts] == [6, 3, 2]
    assert sorted(i for part in parts for i in part) == list(range(11))


def test_random_split_repeats_for_a_generator():
    def split():
        g = taeda.Generator()
        g.manual_seed(9)
        return [list(part) for part in random_split(range(10), [3, 7], generator=g)]

    assert split() == split()


def test_random_split_refuses_and_warns():
    with pytest.raises(
        ValueError, match=r"Sum of input lengths does not equal.*\[3, 3\] sum to 6, the dataset has 5"
    ):
        random_split(range(5), [3, 3])
    with pytest.raises(ValueError, match="Fraction at index 0 is not between 0 and 1"):
        random_split(range(5), [-0.5, 1.5])
    with pytest.raises(ValueError, match="non-negative integers"):
        random_split(range(5), [6, -1])
    with pytest.warns(UserWarning, match="Length of split at index 1 is 0"):
        random_split(range(1), [0.5, 0.5])


def test_dataset_wants_getitem():
    with pytest.raises(NotImplementedError, match="should implement __getitem__"):
        Dataset()[0]


def test_the_shuffling_pipe_draws_from_a_buffer() -> None:
    from taeda.data.datapipes.iter import Shuffler
    from taeda.utils.data.datapipes.iter.combinatorics import ShufflerIterDataPipe

    class Count(IterDataPipe):
        def __iter__(self):
            yield from range(7)

    assert Shuffler is ShufflerIterDataPipe and isinstance(Count().shuffle(), Shuffler)
    pipe = Shuffler(range(7), buffer_size=3)
    taeda.manual_seed(3)
    assert [list(pipe), list(pipe)] == [[0, 3, 2, 1, 6, 5, 4], [1, 0, 2, 4, 3, 5, 6]]      # PyTorch's
    assert list(pipe.set_seed(5)) == [2, 1, 3, 4, 5, 0, 6] and len(pipe) == 7
    assert list(pipe.set_shuffle(False)) == list(range(7))
    with pytest.raises(AssertionError, match="larger than 0"):
        Shuffler(range(3), buffer_size=0)
    with pytest.raises(ValueError, match="unbatch_level=1"):
        Shuffler(range(3), unbatch_level=1)
    with pytest.raises(TypeError, match="valid length"):
        len(Count().shuffle())
