"""taeda.data beside torch.utils.data: the same batches, in the same order, after the same draws.

Every case builds one loader per framework from the same recipe, runs two epochs of it from one seed, draws
a number after each, and compares all of it: values, dtypes, types of containers, and where the default
generator stands.
"""

import collections
import importlib
import random
import warnings

import numpy as np
import pytest
import torch
import torch.utils.data

import taeda
import taeda.data
import taeda.utils.data
from taeda.vision import models
from taeda.vision.transforms import InterpolationMode
from taeda.vision.transforms.functional import resize

FRAMEWORKS = ((taeda, taeda.data), (torch, torch.utils.data))
Point = collections.namedtuple("Point", ["x", "y"])


def plain(value):
    """Describe a value of either framework without naming the framework."""
    if isinstance(value, (torch.Tensor, taeda.Tensor)):
        return ("tensor", str(value.dtype).split(".")[-1], tuple(value.shape), value.tolist())
    if isinstance(value, dict):
        return (type(value).__name__, {key: plain(v) for key, v in value.items()})
    if isinstance(value, (list, tuple, collections.UserList)):
        return (type(value).__name__, [plain(v) for v in value])
    return value


def both(recipe):
    """Run `recipe(framework, its data package)` for both, each from the same seeds."""
    results = []
    for fw, data in FRAMEWORKS:
        fw.manual_seed(7)
        random.seed(7)
        np.random.seed(7)
        results.append(recipe(fw, data))
    return results


def generator(fw, seed):
    g = fw.Generator()
    g.manual_seed(seed)
    return g


def rows(fw, data, n=37):
    x = np.arange(n * 3, dtype=np.float32).reshape(n, 3)
    return data.TensorDataset(fw.tensor(x), fw.arange(n))


class Nested:
    """Samples of many kinds; the same objects serve both frameworks."""

    def __init__(self, fw, n=23):
        self.fw, self.n = fw, n

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        return {
            "image": self.fw.tensor([i, i + 1.5]),
            "array": np.full((2, 2), i, np.int32),
            "point": Point(i, float(i)),
            "mixed": [(i, str(i)), b"bytes", np.float32(i), np.bool_(i % 2), i % 3 == 0],
        }


def stream(data, n=11):
    class Numbers(data.IterableDataset):
        def __iter__(self):
            info = data.get_worker_info()
            return iter(range(n) if info is None else range(info.id, n, info.num_workers))

    return Numbers()


LOADERS = {
    "in order": lambda fw, d, **kw: d.DataLoader(rows(fw, d), 5, **kw),
    "shuffled": lambda fw, d, **kw: d.DataLoader(rows(fw, d), 5, shuffle=True, **kw),
    "batches of one": lambda fw, d, **kw: d.DataLoader(rows(fw, d, 4), shuffle=True, **kw),
    "dropped": lambda fw, d, **kw: d.DataLoader(rows(fw, d), 5, shuffle=True, drop_last=True, **kw),
    "exact": lambda fw, d, **kw: d.DataLoader(rows(fw, d, 35), 5, shuffle=True, **kw),
    "larger than all": lambda fw, d, **kw: d.DataLoader(rows(fw, d), 100, shuffle=True, **kw),
    "own generator": lambda fw, d, **kw: d.DataLoader(
        rows(fw, d), 5, shuffle=True, generator=generator(fw, 3), **kw
    ),
    "split": lambda fw, d, **kw: d.DataLoader(
        d.random_split(rows(fw, d), [0.7, 0.3])[0], 5, shuffle=True, **kw
    ),
    "subset of subset": lambda fw, d, **kw: d.DataLoader(
        d.Subset(d.Subset(rows(fw, d), range(30, 0, -2)), [3, 1, 4, 1, 5]), 2, shuffle=True, **kw
    ),
    "replacement": lambda fw, d, **kw: d.DataLoader(
        rows(fw, d), 5, sampler=d.RandomSampler(range(37), True, 80), **kw
    ),
    "more than once": lambda fw, d, **kw: d.DataLoader(
        rows(fw, d), 5, sampler=d.RandomSampler(range(37), num_samples=80, generator=generator(fw, 1)), **kw
    ),
    "weighted": lambda fw, d, **kw: d.DataLoader(
        rows(fw, d), 5, sampler=d.WeightedRandomSampler(list(range(37)), 50), **kw
    ),
    "weighted once each": lambda fw, d, **kw: d.DataLoader(
        rows(fw, d), 5, sampler=d.WeightedRandomSampler([1.0] * 30 + [2.0] * 7, 20, replacement=False), **kw
    ),
    "random subset": lambda fw, d, **kw: d.DataLoader(
        rows(fw, d), 5, sampler=d.SubsetRandomSampler([3, 1, 4, 15, 9]), **kw
    ),
    "batch sampler": lambda fw, d, **kw: d.DataLoader(
        rows(fw, d), batch_sampler=d.BatchSampler(d.RandomSampler(range(37)), 4, True), **kw
    ),
    "distributed": lambda fw, d, **kw: d.DataLoader(
        rows(fw, d), 5, sampler=d.DistributedSampler(range(37), 4, 1, seed=2), **kw
    ),
    "nested": lambda fw, d, **kw: d.DataLoader(Nested(fw), 4, shuffle=True, **kw),
    "unbatched": lambda fw, d, **kw: d.DataLoader(Nested(fw, 5), None, shuffle=True, **kw),
    "list": lambda fw, d, **kw: d.DataLoader([(i, f"{i}") for i in range(9)], 2, shuffle=True, **kw),
    "concatenated": lambda fw, d, **kw: d.DataLoader(rows(fw, d, 5) + rows(fw, d, 6), 3, shuffle=True, **kw),
    "stacked": lambda fw, d, **kw: d.DataLoader(
        d.StackDataset(a=rows(fw, d, 6), b=range(6)), 4, shuffle=True, **kw
    ),
    "stacked tensors": lambda fw, d, **kw: d.DataLoader(
        d.StackDataset(fw.arange(9), rows(fw, d, 9)), 4, shuffle=True, **kw
    ),
    "named tensors": lambda fw, d, **kw: d.DataLoader(
        d.StackDataset(x=fw.arange(9), y=d.Subset(fw.arange(20), range(9, 0, -1))), 4, shuffle=True, **kw
    ),
    "a tensor": lambda fw, d, **kw: d.DataLoader(fw.arange(22).reshape(11, 2), 4, shuffle=True, **kw),
    "stream": lambda fw, d, **kw: d.DataLoader(stream(d), 3, **kw),
    "stream dropped": lambda fw, d, **kw: d.DataLoader(stream(d), 4, drop_last=True, **kw),
    "stream unbatched": lambda fw, d, **kw: d.DataLoader(stream(d), None, **kw),
    "chained": lambda fw, d, **kw: d.DataLoader(stream(d, 5) + stream(d, 4), 2, **kw),
}


def epochs(loader, fw):
    seen = []
    for _ in range(2):
        seen.append([plain(batch) for batch in loader])
        seen.append(fw.rand(1).item())
    return seen


@pytest.mark.parametrize("name", LOADERS)
def test_two_epochs_are_the_same(name):
    ours, theirs = both(lambda fw, data: epochs(LOADERS[name](fw, data), fw))
    assert ours == theirs


@pytest.mark.parametrize(
    "name", ["shuffled", "own generator", "nested", "stream", "stream unbatched", "dropped"]
)
def test_two_epochs_by_workers_are_the_same(name):
    ours, theirs = both(lambda fw, data: epochs(LOADERS[name](fw, data, num_workers=2), fw))
    assert ours == theirs


def test_an_abandoned_epoch_leaves_the_generators_where_torchs_does():
    def run(fw, data):
        g = generator(fw, 5)
        loader = data.DataLoader(rows(fw, data), 10, shuffle=True, generator=g)
        for stop in (1, 3, 4):
            for i, _ in enumerate(loader, 1):
                if i == stop:
                    break
        return fw.randint(0, 1000, (3,), generator=g).tolist(), fw.rand(1).item()

    ours, theirs = both(run)
    assert ours == theirs


class Draws:
    def __init__(self, fw):
        self.fw = fw

    def __len__(self):
        return 6

    def __getitem__(self, i):
        return self.fw.rand(2).tolist(), random.random(), float(np.random.rand())


def test_random_numbers_of_workers_are_torchs():
    def run(fw, data):
        loader = data.DataLoader(Draws(fw), None, collate_fn=list, num_workers=2)
        return list(loader)

    ours, theirs = both(run)
    assert ours == theirs


@pytest.mark.parametrize(
    "lengths", [[30, 7], [0.5, 0.25, 0.25], [0.33, 0.33, 0.34], [1.0], [37], [0.1] * 10], ids=str
)
def test_random_split_is_the_same(lengths):
    def run(fw, data):
        return [
            [list(s) for s in data.random_split(range(37), lengths, g)] for g in (generator(fw, 1), None)[:1]
        ] + [[list(s) for s in data.random_split(range(37), lengths)]]

    ours, theirs = both(run)
    assert ours == theirs


BATCHES = [
    [1, 2],
    [1.5, 2],
    [True, False],
    ["a", "b"],
    [b"a"],
    [(1, "a"), (2, "b")],
    [[1, 2.5], [3, 4.5]],
    [{"a": 1, "b": {"c": [1.0]}}, {"a": 2, "b": {"c": [2.0]}}],
    [collections.OrderedDict(a=1), collections.OrderedDict(a=2)],
    [Point(1, (2, 3)), Point(4, (5, 6))],
    [np.ones((2, 3), np.float32)] * 3,
    [np.int64(1), np.int64(2)],
    [np.float64(1), np.float64(2)],
    [collections.UserList([1, 2]), collections.UserList([3, 4])],
    [range(3), range(3)],
]


@pytest.mark.parametrize("batch", BATCHES, ids=str)
def test_default_collate_gives_the_same(batch):
    ours, theirs = both(lambda fw, data: data.default_collate(batch))
    assert plain(ours) == plain(theirs)
    assert type(ours) is type(theirs) or isinstance(ours, taeda.Tensor)


@pytest.mark.parametrize(
    "batch",
    [
        [None],
        [object()],
        [(1, 2), (1,)],
        [np.array(["a"])],
        [{"a": 1}, {"b": 2}],
        [],
        [np.zeros(2), np.zeros(3)],
    ],
    ids=str,
)
def test_default_collate_raises_the_same_types(batch):
    kinds = []
    for _, data in FRAMEWORKS:
        with pytest.raises(Exception) as caught:  # noqa: PT011 - whatever torch raises is what is expected
            data.default_collate(batch)
        kinds.append(caught.type)
    assert kinds[0] is kinds[1]


@pytest.mark.parametrize(
    "value",
    [1, "a", np.ones(2), [np.ones(2), 1], {"a": np.zeros(1)}, Point(np.ones(1), "b"), (1, np.int64(2))],
    ids=str,
)
def test_default_convert_gives_the_same(value):
    ours, theirs = both(lambda fw, data: data.default_convert(value))
    assert plain(ours) == plain(theirs)


BAD = [
    lambda fw, d: d.DataLoader([1], num_workers=-1),
    lambda fw, d: d.DataLoader([1], timeout=-1),
    lambda fw, d: d.DataLoader([1], prefetch_factor=2),
    lambda fw, d: d.DataLoader([1], persistent_workers=True),
    lambda fw, d: d.DataLoader([1], batch_size=0),
    lambda fw, d: d.DataLoader([1], batch_size=2.5),
    lambda fw, d: d.DataLoader([], shuffle=True),
    lambda fw, d: d.DataLoader([1], sampler=[0], shuffle=True),
    lambda fw, d: d.DataLoader([1], batch_sampler=[[0]], drop_last=True),
    lambda fw, d: d.DataLoader([1], batch_size=None, drop_last=True),
    lambda fw, d: d.DataLoader([1], multiprocessing_context="fork"),
    lambda fw, d: d.DataLoader([1], num_workers=1, multiprocessing_context="x"),
    lambda fw, d: d.DataLoader([1], num_workers=1, multiprocessing_context=3),
    lambda fw, d: d.DataLoader(stream(d), shuffle=True),
    lambda fw, d: d.DataLoader(stream(d), sampler=[1]),
    lambda fw, d: len(d.DataLoader(stream(d))),
    lambda fw, d: next(iter(d.DataLoader([1], timeout=1))),
    lambda fw, d: setattr(d.DataLoader([1]), "batch_size", 2),
    lambda fw, d: list(d.DataLoader(rows(fw, d, 3), sampler=[5])),
    lambda fw, d: list(d.DataLoader(rows(fw, d, 3), sampler=[5], batch_size=None)),
    lambda fw, d: list(d.DataLoader([1, 2], sampler=[5])),
    lambda fw, d: d.TensorDataset(fw.zeros(2), fw.zeros(3)),
    lambda fw, d: d.TensorDataset(fw.zeros(())),
    lambda fw, d: d.ConcatDataset([]),
    lambda fw, d: d.ConcatDataset([[1]])[1],
    lambda fw, d: d.ConcatDataset([[1]])[-2],
    lambda fw, d: d.StackDataset(),
    lambda fw, d: d.StackDataset([1], [1, 2]),
    lambda fw, d: d.random_split(range(3), [1, 1]),
    lambda fw, d: d.random_split(range(3), [-0.5, 1.5]),
    lambda fw, d: d.RandomSampler([1], replacement=1),
    lambda fw, d: d.RandomSampler([1], num_samples=0),
    lambda fw, d: d.WeightedRandomSampler([[1.0]], 1),
    lambda fw, d: d.WeightedRandomSampler([1.0], True),
    lambda fw, d: list(d.WeightedRandomSampler([0.0], 1)),
    lambda fw, d: list(d.WeightedRandomSampler([1.0], 2, replacement=False)),
    lambda fw, d: d.BatchSampler([1], 1, 1),
    lambda fw, d: d.DistributedSampler([1], 2, 2),
]


@pytest.mark.parametrize("call", BAD, ids=range(len(BAD)))
def test_errors_have_the_same_types(call):
    kinds = []
    for fw, data in FRAMEWORKS:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with pytest.raises(Exception) as caught:  # noqa: PT011 - whatever torch raises is what is expected
                call(fw, data)
        kinds.append(caught.type)
    assert kinds[0] is kinds[1]


def test_the_loaders_arguments_are_torchs():
    import inspect

    ours, theirs = (inspect.signature(data.DataLoader.__init__) for _, data in FRAMEWORKS)
    assert [(p.name, p.default, p.kind) for p in ours.parameters.values()] == [
        (p.name, p.default, p.kind) for p in theirs.parameters.values()
    ]


def test_every_public_name_but_datapipes_is_there():
    datapipes = {
        "argument_validation",
        "functional_datapipe",
        "guaranteed_datapipes_determinism",
        "non_deterministic",
        "runtime_validation",
        "runtime_validation_disabled",
        "DFIterDataPipe",
        "DataChunk",
        "IterDataPipe",
        "MapDataPipe",
    }
    assert set(torch.utils.data.__all__) - datapipes <= set(taeda.data.__all__)


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
@pytest.mark.parametrize("antialias", [False, True])
@pytest.mark.parametrize("size", [(20, 30), (80, 19), (37, 100), (1, 1)])
def test_resizing_is_interpolates(mode, antialias, size):
    x = np.random.default_rng(0).random((2, 3, 37, 53), dtype=np.float32)
    ours = resize(taeda.tensor(x), size, InterpolationMode(mode), antialias=antialias)
    theirs = torch.nn.functional.interpolate(
        torch.tensor(x), size, mode=mode, align_corners=False, antialias=antialias
    )
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), atol=1e-5)


def torch_resnet18_weights(seed):
    """Draw the weights of torchvision's resnet18 as its construction does, with torch alone."""
    nn = torch.nn
    torch.manual_seed(seed)
    convs, inplanes = [("conv1", nn.Conv2d(3, 64, 7, 2, 3, bias=False))], 64
    for stage, planes in enumerate((64, 128, 256, 512), 1):
        for i in range(2):
            name, downsample = f"layer{stage}.{i}", None
            if stage > 1 and i == 0:
                downsample = (f"{name}.downsample.0", nn.Conv2d(inplanes, planes, 1, 2, bias=False))
            convs.append((f"{name}.conv1", nn.Conv2d(inplanes, planes, 3, bias=False)))
            convs.append((f"{name}.conv2", nn.Conv2d(planes, planes, 3, bias=False)))
            if downsample:
                # Made before its block, but found after the block's own layers.
                convs.append(downsample)
            inplanes = planes
    fc = nn.Linear(512, 10)
    for _, conv in convs:
        nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
    return {f"{name}.weight": conv.weight for name, conv in convs} | {
        "fc.weight": fc.weight,
        "fc.bias": fc.bias,
    }


def test_a_resnet_starts_with_the_weights_that_torch_draws():
    theirs = torch_resnet18_weights(3)
    taeda.manual_seed(3)
    ours = dict(models.resnet18(num_classes=10).named_parameters())
    for name, weight in theirs.items():
        np.testing.assert_allclose(
            ours[name].detach().numpy(), weight.detach().numpy(), atol=1e-6, err_msg=name
        )


def test_the_private_place_of_collate() -> None:
    place = importlib.import_module("taeda.utils.data._utils.collate")
    assert place.default_collate is taeda.data.default_collate is taeda.utils.data._utils.collate.default_collate
    assert place.default_collate([1, 2]).tolist() == torch.utils.data._utils.collate.default_collate([1, 2]).tolist()
