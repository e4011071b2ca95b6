"""Module: registration, attributes, traversal, devices and dtypes, copies, repr."""

from __future__ import annotations

import copy
import functools
import gc
import importlib
import pickle
import subprocess
import sys
import typing
import weakref

import pytest

import taeda
from taeda import nn


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lin = nn.Linear(2, 3)
        self.scale = nn.Parameter(taeda.ones(3))
        self.register_buffer("mean", taeda.zeros(3))
        self.register_buffer("seen", taeda.zeros(1), persistent=False)
        self.note = "text"

    def forward(self, x):
        return self.lin(x) * self.scale


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = Block()
        self.rest = nn.Sequential(nn.ReLU(), nn.Linear(3, 1))

    def forward(self, x):
        return self.rest(self.first(x))


def test_members_are_registered_by_assignment():
    b = Block()
    assert list(b._parameters) == ["scale"]
    assert list(b._modules) == ["lin"]
    assert list(b._buffers) == ["mean", "seen"]
    assert isinstance(b._parameters, dict)
    assert b._parameters["scale"] is b.scale
    assert b._modules["lin"] is b.lin


def test_members_are_plain_attributes():
    """So reading one does not go through __getattr__, which takes twenty times as long."""
    b = Block()
    assert {"scale", "lin", "mean", "seen"} <= set(b.__dict__)


def test_writing_to_the_registries_shows_as_attributes():
    b = Block()
    p, q = nn.Parameter(taeda.zeros(3)), nn.Parameter(taeda.ones(1))
    b._parameters["scale"] = p
    assert b.scale is p
    b._parameters.update({"more": q})
    assert b.more is q
    assert b._parameters.pop("more") is q
    assert not hasattr(b, "more")
    del b._parameters["scale"]
    assert not hasattr(b, "scale")
    b._parameters.setdefault("scale", p)
    assert b.scale is p
    b._parameters |= {"more": q}
    assert b.more is q
    b._buffers.clear()
    assert not hasattr(b, "mean")
    b._modules = {"lin": nn.ReLU()}
    assert isinstance(b.lin, nn.ReLU)
    b._parameters.popitem()
    assert not hasattr(b, "more")


def test_a_replaced_registry_takes_its_attributes_along():
    old = nn.Module()
    old.lin, old.w = nn.Linear(1, 1), nn.Parameter(taeda.ones(1))
    old.register_buffer("b", taeda.zeros(1))
    new = nn.Module.__new__(nn.Module)
    new.__dict__.update(old.__dict__)               # as accelerate.utils.compile_regions makes a module from another
    new._modules, new._parameters, new._buffers = {}, {}, {}
    assert not any(hasattr(new, name) for name in ("lin", "w", "b"))
    new.add_module("lin", nn.ReLU())
    new.register_parameter("w", None)
    new.register_buffer("b", taeda.ones(1))
    assert isinstance(new.lin, nn.ReLU) and new.w is None and new.b.item() == 1
    assert isinstance(old.lin, nn.Linear) and old.w.item() == 1 and old.b.item() == 0


def test_a_member_with_the_name_of_a_method_leaves_the_method():
    class Net(nn.Module):
        layer = None

        def __init__(self):
            super().__init__()
            self.parameters = nn.ParameterList([nn.Parameter(taeda.ones(2))])   # programs of N-BEATS do
            self.layer = nn.Linear(2, 1)

    for net in (Net(), copy.deepcopy(Net()), copy.copy(Net()), pickle.loads(pickle.dumps(nn.Sequential(nn.ReLU())))):
        net.train = nn.ReLU()
        assert net.eval().train().training and type(net._modules["train"]) is nn.ReLU
        if isinstance(net, Net):
            assert [p.numel() for p in net.parameters()] == [2, 2, 1] and net.layer is None
            assert list(net.state_dict()) == ["parameters.0", "layer.weight", "layer.bias"]
            del net.layer
            assert net.layer is None and "layer" not in net._modules
            net.forward = nn.ReLU()
            with pytest.raises(NotImplementedError):
                net(taeda.ones(1))


def test_a_script_module_is_a_module():
    class Twice(taeda.jit.ScriptModule):
        def __init__(self):
            super().__init__()
            self.lin = nn.Linear(1, 1)

        with pytest.warns(DeprecationWarning, match="jit.script_method. is deprecated"):

            @taeda.jit.script_method
            def forward(self, x):
                return self.lin(x)

    class Thrice(Twice, nn.Module):
        pass

    for cls in (Twice, Thrice):
        net = cls().eval()
        assert isinstance(net, nn.Module) and isinstance(net, taeda.jit.ScriptModule) and list(net.state_dict()) == ["lin.weight", "lin.bias"]
        assert taeda.equal(net(taeda.ones(1)), net.lin(taeda.ones(1)))
    assert not isinstance(nn.Linear(1, 1), taeda.jit.ScriptModule)
    assert isinstance(type("Made", (taeda.jit.ScriptModule,), {})(), nn.Module)


def test_a_name_moves_between_registries():
    m = nn.Module()
    m.x = 3
    m.x = nn.Parameter(taeda.ones(1))
    assert "x" in m._parameters
    with pytest.raises(TypeError, match=r"cannot assign 'taeda.nn.modules.activation.ReLU' as parameter 'x'"):
        m.x = nn.ReLU()
    del m.x
    m.x = nn.ReLU()
    assert "x" in m._modules and "x" not in m._parameters
    with pytest.raises(TypeError, match=r"cannot assign 'taeda.\w+' as child module 'x'"):
        m.x = nn.Buffer(taeda.ones(1))
    m.x = nn.Parameter(taeda.ones(1))
    assert "x" in m._parameters and "x" not in m._modules
    del m.x
    m.x = nn.Buffer(taeda.ones(1))
    assert "x" in m._buffers and "x" not in m._parameters
    m.x = taeda.zeros(2)
    assert m._buffers["x"].shape == (2,)
    m.x = None
    assert m._buffers["x"] is None and m.x is None
    del m.x
    assert not hasattr(m, "x")


def test_a_parameter_set_to_none_keeps_its_name():
    m = nn.Linear(2, 2)
    m.bias = None
    assert "bias" in m._parameters and m.bias is None
    assert list(m.state_dict()) == ["weight"]
    with pytest.raises(TypeError, match=r"cannot assign 'taeda.FloatTensor' as parameter 'bias' .*; wrap it in nn.Parameter$"):
        m.bias = taeda.ones(2)


def test_buffers_and_plain_tensors():
    m = nn.Module()
    m.plain = taeda.ones(1)
    m.kept = nn.Buffer(taeda.ones(1))
    m.lost = nn.Buffer(taeda.ones(1), persistent=False)
    assert [n for n, _ in m.named_buffers()] == ["kept", "lost"]
    assert list(m.state_dict()) == ["kept"]
    assert "plain" not in m.state_dict()


def test_module_without_super_init_says_so():
    class Bad(nn.Module):
        def __init__(self) -> None:
            self.lin = nn.Linear(1, 1)

    with pytest.raises(AttributeError, match=r"before Module.__init__\(\) call: super\(\).__init__\(\) comes first$"):
        Bad()


def test_traversal():
    net = Net()
    assert [n for n, _ in net.named_modules()] == ["", "first", "first.lin", "rest", "rest.0", "rest.1"]
    assert [n for n, _ in net.named_children()] == ["first", "rest"]
    names = ["first.scale", "first.lin.weight", "first.lin.bias", "rest.1.weight", "rest.1.bias"]
    assert [n for n, _ in net.named_parameters()] == names
    assert [n for n, _ in net.named_parameters(prefix="p")] == ["p." + n for n in names]
    assert [n for n, _ in net.named_parameters(recurse=False)] == []
    assert [n for n, _ in net.named_buffers()] == ["first.mean", "first.seen"]
    assert net.get_submodule("rest.1") is net.rest[1]
    assert net.get_parameter("first.lin.weight") is net.first.lin.weight
    assert net.get_buffer("first.mean") is net.first.mean
    net.set_submodule("rest.0", nn.Tanh())
    assert isinstance(net.rest[0], nn.Tanh)


def test_shared_members_are_listed_once_unless_asked():
    m = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
    m.append(m[0])
    assert len(list(m.parameters())) == 2
    assert len(list(m.named_parameters(remove_duplicate=False))) == 4
    assert len(list(m.modules())) == 3
    assert len(list(m.children())) == 2
    assert len(list(m.named_modules(remove_duplicate=False))) == 4


def test_a_parameter_of_two_modules_is_listed_once():
    a, b = nn.Linear(2, 2), nn.Linear(2, 2)
    b.weight = a.weight
    net = nn.Sequential(a, b)
    assert [n for n, _ in net.named_parameters()] == ["0.weight", "0.bias", "1.bias"]
    assert len(list(net.named_parameters(remove_duplicate=False))) == 4
    assert list(net.state_dict()) == ["0.weight", "0.bias", "1.weight", "1.bias"]


def test_train_eval_apply_and_requires_grad():
    net = Net()
    assert net.training and net.rest[0].training
    assert net.eval() is net
    assert not net.rest[0].training
    net.train()
    assert net.first.lin.training
    seen = []
    net.apply(lambda m: seen.append(type(m).__name__))
    assert seen == ["Linear", "Block", "ReLU", "Linear", "Sequential", "Net"]
    net.requires_grad_(False)
    assert not any(p.requires_grad for p in net.parameters())


def test_zero_grad():
    m = nn.Linear(2, 1)
    m(taeda.ones(1, 2)).sum().backward()
    m.zero_grad(set_to_none=False)
    assert m.weight.grad.tolist() == [[0.0, 0.0]]
    m.zero_grad()
    assert m.weight.grad is None


def test_to_keeps_the_parameter_objects_and_casts_floats_only():
    b = Block()
    b.register_buffer("count", taeda.tensor(3))
    weight = b.lin.weight
    b(taeda.ones(1, 2)).sum().backward()
    grad = weight.grad
    assert b.to(taeda.float64) is b
    assert b.lin.weight is weight and weight.grad is grad
    assert weight.dtype == taeda.float64 and weight.grad.dtype == taeda.float64
    assert b.mean.dtype == taeda.float64 and b.count.dtype == taeda.int64
    assert b.to("cpu", taeda.float32).scale.dtype == taeda.float32
    assert b.to(taeda.ones(1, dtype=taeda.float64)).scale.dtype == taeda.float64
    assert b.to(device="cpu", dtype=taeda.float32).scale.dtype == taeda.float32
    for bad in ((3.5,), (1, 2, 3, 4, 5), ("cpu", True), (None, True), ("cpu", None, "float32")):
        with pytest.raises(TypeError, match=r"\[to\]"):
            b.to(*bad)
    with pytest.raises(TypeError, match="only accepts floating point"):
        b.to(taeda.int64)
    with pytest.raises(TypeError, match=r"\[to\]"):
        b.to(spelling="cpu")
    with pytest.raises(TypeError, match=r"\[to\] dtype must be a taeda.dtype .* got 'float32'"):
        b.to("cpu", dtype="float32")
    for args, options in ((("cpu",), {"copy": True}), ((taeda.float32, False, True), {})):
        with pytest.raises(RuntimeError, match="does not accept copy argument"):
            b.to(*args, **options)


def test_a_buffer_is_registered_by_a_method_that_does_not_know_persistent():
    class Old(nn.Module):
        def register_buffer(self, name, value):
            super().register_buffer(name, value)

    m = Old()
    m.mean = nn.Buffer(taeda.ones(1))
    assert list(m.state_dict()) == ["mean"]


def test_a_class_of_ones_own_hears_of_each_tensor_that_a_buffer_becomes():
    class Noting(nn.Module):
        def register_buffer(self, name, tensor, persistent=True):
            seen.append((name, persistent))
            super().register_buffer(name, tensor, persistent)

    seen = []
    m = Noting()
    m.register_buffer("mean", taeda.zeros(1), persistent=False)
    m.mean = taeda.ones(1)
    m.mean = None
    assert seen == [("mean", False)] * 3 and list(m.state_dict()) == []


def test_meta_device():
    m = nn.Linear(2, 3, device="meta")
    assert m(taeda.empty(5, 2, device="meta")).shape == (5, 3)
    with pytest.raises(NotImplementedError, match="to_empty"):
        m.to("cpu")
    real = m.to_empty(device="cpu")
    assert real.weight.device.type == "cpu" and isinstance(real.weight, nn.Parameter)
    assert Net().to("meta").first.mean.is_meta


def test_no_gpu_is_one_clear_error_and_changes_nothing():
    m = nn.Linear(2, 2)
    if taeda.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(RuntimeError, match="CUDA"):
        m.cuda()
    assert m.weight.device.type == "cpu"


@pytest.mark.parametrize("clone", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))], ids=["deepcopy", "pickle"])
def test_copies_are_whole_and_apart(clone):
    net = Net()
    net.eval()
    other = clone(net)
    assert repr(other) == repr(net) and not other.training
    for (n, a), (k, b) in zip(net.state_dict().items(), other.state_dict().items(), strict=True):
        assert n == k and a.tolist() == b.tolist()
    assert other.first.scale is other.first._parameters["scale"]
    assert isinstance(other.first.scale, nn.Parameter)
    with taeda.no_grad():
        other.first.scale.fill_(7)
    assert net.first.scale.tolist() == [1.0, 1.0, 1.0]
    other.first.scale = nn.Parameter(taeda.zeros(1))
    assert other.first._parameters["scale"].shape == (1,)
    assert other.first.note == "text"


class HandsOnItsDict(nn.Module):
    """A class that says itself what its state is, as Python's own documentation does."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(2, 2)
        self.weight = nn.Parameter(taeda.ones(2))
        self.note = "kept"

    def __getstate__(self):
        return self.__dict__

    def __setstate__(self, state):
        self.__dict__ = state


class UpdatesItsDict(HandsOnItsDict):
    def __setstate__(self, state):
        self.__dict__.update(state)


@pytest.mark.parametrize("cls", [HandsOnItsDict, UpdatesItsDict])
@pytest.mark.parametrize("twin", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_members_of_a_copy_follow_its_registries_whatever_hands_on_the_state(cls, twin) -> None:
    module = cls()
    made = twin(module)
    assert made.note == "kept" and made.inner is made._modules["inner"] is not module.inner
    made.inner = nn.ReLU()
    made.weight = nn.Parameter(taeda.zeros(3))
    assert made.inner is made._modules["inner"] and made.weight is made._parameters["weight"] and made.weight.shape == (3,)
    del made.weight
    made.weight = taeda.full((1,), 5.0)
    assert made.weight.item() == 5 and list(made.state_dict()) == []
    assert module.weight.shape == (2,) and type(module.inner) is nn.Linear and module.inner is module._modules["inner"]


def test_deepcopy_keeps_shared_parameters_shared():
    a, b = nn.Linear(2, 2), nn.Linear(2, 2)
    b.weight = a.weight
    pair = copy.deepcopy(nn.ModuleList([a, b]))
    assert pair[0].weight is pair[1].weight and pair[0].weight is not a.weight


def test_a_shallow_copy_has_registries_of_its_own():
    a = nn.Linear(2, 2)
    b = copy.copy(a)
    assert b.weight is a.weight
    b.weight = nn.Parameter(taeda.zeros(1))
    assert a.weight.shape == (2, 2) and a._parameters["weight"] is a.weight


def test_a_module_dies_with_its_last_reference():
    gc.disable()
    try:
        net = Net()
        watch = weakref.ref(net.first.lin)
        del net
        assert watch() is None
    finally:
        gc.enable()


def test_repr():
    assert repr(nn.Module()) == "Module()"
    assert repr(Net()) == (
        "Net(\n  (first): Block(\n    (lin): Linear(in_features=2, out_features=3, bias=True)\n  )\n"
        "  (rest): Sequential(\n    (0): ReLU()\n    (1): Linear(in_features=3, out_features=1, bias=True)\n  )\n)"
    )
    lin = nn.Linear(1, 1)
    lin.extra = nn.ReLU()
    assert repr(lin) == "Linear(\n  in_features=1, out_features=1, bias=True\n  (extra): ReLU()\n)"

    class Listed(nn.Module):
        def extra_repr(self):
            return "first\n\n  second\n"

    assert repr(nn.Sequential(Listed())) == "Sequential(\n  (0): Listed(\n    first\n\n      second\n\n  )\n)"


def test_dir_lists_members_and_no_numbers():
    names = dir(nn.Sequential(nn.ReLU()))
    assert "0" not in names and "forward" in names and names == sorted(names)
    assert {"scale", "lin", "mean"} <= set(dir(Block()))


def test_super_getattr_is_there_for_wrappers():
    class Wrapped(nn.Module):
        def __init__(self, inner):
            super().__init__()
            self.inner = inner

        def __getattr__(self, name):
            try:
                return super().__getattr__(name)
            except AttributeError:
                return getattr(self.inner, name)

    w = Wrapped(nn.Linear(2, 3))
    assert w.out_features == 3
    with pytest.raises(AttributeError, match="'Linear' object has no attribute 'nothing'"):
        w.nothing  # noqa: B018


def test_parameter():
    p = nn.Parameter(taeda.tensor([1.0, 2.0]))
    assert repr(p) == str(p) == "Parameter containing:\ntensor([1., 2.], requires_grad=True)"
    assert isinstance(p, taeda.Tensor) and p.is_leaf
    assert type(p * 2) is taeda.Tensor and type(p.detach()) is taeda.Tensor
    assert not nn.Parameter(taeda.tensor([1]), requires_grad=False).requires_grad
    q = copy.deepcopy(p)
    assert isinstance(q, nn.Parameter) and q.tolist() == [1.0, 2.0]
    shared = taeda.zeros(2)
    nn.Parameter(shared).data.add_(1)
    assert shared.tolist() == [1.0, 1.0]
    with pytest.raises(TypeError, match=r"\[Parameter\] data must be a Tensor"):
        nn.Parameter(3)
    with pytest.raises(RuntimeError, match="floating point"):
        nn.Parameter(taeda.tensor([1, 2]))
    b = pickle.loads(pickle.dumps(nn.Buffer(taeda.ones(1), persistent=False)))
    assert isinstance(b, nn.Buffer) and b.persistent is False


def test_buffer_has_the_class_of_its_data():
    class Marked(taeda.Tensor):
        pass

    data = taeda.ones(2)
    plain = nn.Buffer(data)
    assert type(plain) is taeda.Tensor and isinstance(plain, nn.Buffer) and not isinstance(data, nn.Buffer)
    plain.add_(1)
    assert data.tolist() == [2.0, 2.0]
    own = nn.Buffer(data.as_subclass(Marked), persistent=False)
    assert type(own) is Marked and isinstance(own, nn.Buffer) and own.persistent is False
    assert not isinstance(plain.clone(), nn.Buffer) and not isinstance(plain.detach(), nn.Buffer)
    m = nn.Module()
    m.plain, m.own = plain, own
    assert [(k, type(v)) for k, v in m.named_buffers()] == [("plain", taeda.Tensor), ("own", Marked)] and list(m.state_dict()) == ["plain"]
    assert type(nn.Parameter(own)) is Marked


def test_non_leaf_cannot_be_a_parameter():
    m = nn.Module()
    p = nn.Parameter(taeda.ones(1)) * 1
    with pytest.raises(TypeError, match="cannot assign"):
        m.register_parameter("p", p)


def test_a_forward_put_on_the_object_is_called():
    m = nn.ReLU()
    x = taeda.tensor([-3.0])
    assert m(x).tolist() == [0.0]
    m.forward = lambda x: x + 1
    assert m(x).tolist() == [-2.0]
    del m.forward
    assert m(x).tolist() == [0.0]


def test_a_forward_may_be_anything_that_is_called():
    class Static(nn.Module):
        @staticmethod
        def forward(x):
            return x + 1

    class Partial(nn.Module):
        def scaled(self, factor, x):
            return factor * x

        forward = functools.partialmethod(scaled, 3)

    class Held(nn.Module):
        def __init__(self):
            super().__init__()
            self.forward = nn.ReLU().forward

    assert (Static()(1), Partial()(2), Held()(taeda.tensor(-1.0)).item()) == (2, 6, 0.0)
    Static.forward = lambda self, x: x - 1
    assert Static()(1) == 0
    with pytest.raises(AttributeError, match="absent"):
        type("Bare", (nn.Module,), {"__getattr__": object.__getattribute__, "forward": property(lambda self: self.absent)})()(1)


def test_a_call_replaced_on_the_class_is_used_and_put_back(monkeypatch):
    inner, m = nn.Module.__call__, nn.Identity()
    with monkeypatch.context() as patch:
        patch.setattr(nn.Module, "__call__", lambda self, *args, **kwargs: [inner(self, *args, **kwargs)])
        assert m(1) == [1]
    assert m(1) == 1


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_every_protocol_pickles_a_module(protocol):
    m = nn.Sequential(nn.Linear(2, 3), nn.ReLU())
    other = pickle.loads(pickle.dumps(m, protocol))
    assert repr(other) == repr(m)
    assert taeda.equal(other[0].weight, m[0].weight)


def test_call_passes_every_kind_of_argument():
    class Many(nn.Module):
        def forward(self, input=1, *rest, input2=2, **more):
            return input, rest, input2, more

    m = Many()
    assert m() == (1, (), 2, {})
    assert m(5) == (5, (), 2, {})
    assert m(None) == (None, (), 2, {})
    assert m(5, 6, input2=7, z=8) == (5, (6,), 7, {"z": 8})
    assert m(input=9) == (9, (), 2, {})
    assert m(*range(9)) == (0, tuple(range(1, 9)), 2, {})
    with pytest.raises(TypeError, match="positional"):
        nn.ReLU()(1, 2)


def test_to_takes_one_dtype():
    with pytest.raises(TypeError, match=r"\[to\] argument 2 must be a device, a dtype \(one\)"):
        nn.Linear(1, 1).to(taeda.float32, taeda.float64)
    with pytest.raises(TypeError, match="argument 1"):
        nn.Linear(1, 1).to(taeda.float32, dtype=taeda.float64)


def test_layers_are_found_in_the_files_where_pytorch_keeps_them():
    from taeda.nn.init import _no_grad_trunc_normal_
    from taeda.nn.modules.activation import MultiheadAttention
    from taeda.nn.modules.channelshuffle import ChannelShuffle
    from taeda.nn.modules.instancenorm import InstanceNorm2d
    from taeda.nn.modules.module import _IncompatibleKeys
    from taeda.nn.modules.pixelshuffle import PixelShuffle
    from taeda.nn.modules.transformer import _get_activation_fn, _get_clones
    from taeda.nn.parallel.data_parallel import DataParallel
    from taeda.nn.parallel.distributed import DistributedDataParallel

    assert (MultiheadAttention, ChannelShuffle) == (nn.MultiheadAttention, nn.ChannelShuffle)
    assert (InstanceNorm2d, PixelShuffle) == (nn.InstanceNorm2d, nn.PixelShuffle)
    from taeda.nn.parallel._functions import Scatter
    from taeda.nn.parallel.parallel_apply import parallel_apply
    from taeda.nn.parallel.replicate import replicate
    from taeda.nn.parallel.scatter_gather import scatter_kwargs

    assert nn.parallel.replicate is replicate and nn.parallel.parallel_apply is parallel_apply
    for refused in (Scatter, parallel_apply, replicate, scatter_kwargs):
        with pytest.raises(NotImplementedError, match="there is one device"):
            refused(nn.ReLU(), [0])
    assert (DataParallel, DistributedDataParallel) == (nn.DataParallel, nn.parallel.distributed.DistributedDataParallel)
    assert type(nn.ReLU().load_state_dict({})) is _IncompatibleKeys
    for name, there in (
        ("loss", (nn.MSELoss, nn.HuberLoss, nn.TripletMarginWithDistanceLoss)), ("pooling", (nn.FractionalMaxPool2d,)),
        ("container", (nn.ParameterList, nn.ParameterDict)), ("linear", (nn.LazyLinear,)), ("batchnorm", (nn.LazyBatchNorm2d,)),
        ("conv", (nn.LazyConv1d, nn.LazyConvTranspose3d)), ("instancenorm", (nn.LazyInstanceNorm1d,)),
    ):  # fmt: skip
        file = importlib.import_module(f"taeda.nn.modules.{name}")
        assert all(vars(file)[layer.__name__] is layer for layer in there)
    assert len(_get_clones(nn.ReLU(), 3)) == 3 and _get_activation_fn("relu") is nn.functional.relu
    assert float(_no_grad_trunc_normal_(taeda.empty(50), std=5.0, a=-1, b=1).abs().max()) <= 1


def test_annotations_of_modules_can_be_evaluated() -> None:
    for cls in {nn.Module, *(c for c in vars(nn).values() if isinstance(c, type) and issubclass(c, nn.Module))}:
        assert typing.get_type_hints(cls)["training"] is bool


class Mixin:
    """Whatever stands in front of Module among the bases of a layer."""


class MixedLayer(Mixin, nn.Module):
    def __init__(self, n: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(taeda.arange(float(n)))


def test_a_layer_with_a_mixin_in_front_is_copied_and_pickled() -> None:
    layer = MixedLayer(3)
    for made in (copy.deepcopy(layer), copy.copy(layer), pickle.loads(pickle.dumps(layer))):
        assert type(made) is MixedLayer and made.weight.tolist() == [0.0, 1.0, 2.0]
    assert copy.deepcopy(layer).weight is not layer.weight and type(MixedLayer.__new__(MixedLayer)) is MixedLayer


def test_layers_name_their_settings_for_classes_that_add_to_them() -> None:
    class Scaled(nn.Conv2d):
        __constants__ = [*nn.Conv2d.__constants__, "scale"]

    assert Scaled.__constants__[:2] == ["stride", "padding"] and Scaled.__constants__[-1] == "scale"
    assert nn.Linear.__constants__ == ["in_features", "out_features"]
    assert nn.BatchNorm2d.__constants__ == nn.InstanceNorm1d.__constants__ == nn.modules.batchnorm._NormBase.__constants__
    assert "__constants__" not in vars(nn.Module)


def test_parameters_say_that_they_are_pytorchs_where_the_library_goes_by_its_name():
    program = (
        "import taeda.as_torch as a{early}\na.install()\nimport pickle, torch\nfrom torch.nn import Buffer, Parameter\np = Parameter(torch.ones(2))\n"
        "print(type(p), Buffer.__module__, pickle.loads(pickle.dumps([Parameter, p]))[0] is Parameter, isinstance(p, Parameter), p.__module__)"
    )
    for early in ("", ", taeda.nn.parameter"):
        ran = subprocess.run([sys.executable, "-c", program.format(early=early)], capture_output=True, text=True, check=False)
        assert ran.stdout == "<class 'torch.nn.parameter.Parameter'> torch.nn.parameter True True torch.nn.parameter\n", ran.stderr
    assert nn.Parameter.__module__ == "taeda.nn.parameter"


def test_layers_say_that_they_are_pytorchs_where_the_library_goes_by_its_name():
    program = (
        "import taeda.as_torch as a{early}\na.install()\nimport pickle, torch.nn as nn, torch.fx\n"
        "print(nn.Linear, nn.InstanceNorm2d, nn.MSELoss, nn.MultiheadAttention.__module__)\n"
        "net = nn.Sequential(nn.Linear(2, 3), nn.ReLU())\n"
        "print([m.__module__.startswith('torch.nn') for m in net], [n.op for n in torch.fx.symbolic_trace(net).graph.nodes])\n"
        "print(all(pickle.loads(pickle.dumps(c)) is c for c in vars(nn).values() if isinstance(c, type)))"
    )
    for early in ("", ", taeda.nn"):
        ran = subprocess.run([sys.executable, "-c", program.format(early=early)], capture_output=True, text=True, check=False)
        assert ran.stdout == (
            "<class 'torch.nn.modules.linear.Linear'> <class 'torch.nn.modules.instancenorm.InstanceNorm2d'> "
            "<class 'torch.nn.modules.loss.MSELoss'> torch.nn.modules.activation\n"
            "[True, True] ['placeholder', 'call_module', 'call_module', 'output']\nTrue\n"
        ), ran.stderr
    assert nn.Linear.__module__ == "taeda.nn.modules.linear"


def test_apply_may_make_parameters_sparse():
    m = nn.Linear(3, 2)
    m.weight.grad = taeda.ones(2, 3)
    m._apply(lambda t: t.to_sparse())
    assert m.weight.layout == m.weight.grad.layout == taeda.sparse_coo and m.weight.requires_grad
    assert m.weight.grad.to_dense().tolist() == [[1, 1, 1]] * 2
