"""Files that one library wrote and the other reads."""

from __future__ import annotations

import collections
import io
import pickle
import re
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch

import taeda


def carried(writer: Any, reader: Any, obj: Any, **kwargs: Any) -> Any:
    file = io.BytesIO()
    writer.save(obj, file, **kwargs)
    file.seek(0)
    return reader.load(file, weights_only=True)


def nested(t: Any) -> dict[str, Any]:
    """The same object in either library."""
    base = t.arange(12.0).reshape(3, 4)
    state = collections.OrderedDict(w=base.t()[1:], n=t.tensor(3))
    state._metadata = collections.OrderedDict({"": {"version": 2}})
    return {
        "base": base, "view": base[1:, ::2], "flat": base.view(-1)[3:], "state": state, "wanted": t.ones(2, requires_grad=True),
        "dtypes": [t.tensor([1, 0, 3]).to(d) for d in (t.float64, t.int64, t.int32, t.uint8, t.bool)], "empty": t.empty(0, 3),
        "scalar": t.tensor(2.5), "meta": t.empty(2, 3, device="meta"), "plain": (1, 2.5, "x", b"\0\xff", [True, None], {2, 3}, 2**80, 1j),
        "dtype": t.float64, "device": t.device("cuda:1"), "size": t.Size([1, 2]), "layout": t.strided,
    }  # fmt: skip


def compare(a: Any, b: Any) -> None:
    """Equal up to which library's tensors they are."""
    if isinstance(b, (torch.Tensor, taeda.Tensor)):
        assert tuple(a.shape) == tuple(b.shape) and a.stride() == b.stride() and a.storage_offset() == b.storage_offset()
        assert str(a.dtype)[6:] == str(b.dtype)[6:] and a.requires_grad == b.requires_grad and a.device.type == b.device.type
        if a.device.type != "meta":
            np.testing.assert_array_equal(a.detach().numpy(), b.detach().numpy())
    elif isinstance(b, dict):
        assert list(a) == list(b) and type(a) is type(b) and getattr(a, "_metadata", None) == getattr(b, "_metadata", None)
        for key in b:
            compare(a[key], b[key])
    elif isinstance(b, (list, tuple)) and not isinstance(b, (torch.Size, taeda.Size)):
        assert len(a) == len(b)
        for x, y in zip(a, b, strict=True):
            compare(x, y)
    elif isinstance(b, (torch.dtype, taeda.dtype, torch.device, taeda.device, torch.layout, taeda.layout)):
        assert str(a).rpartition(".")[2] == str(b).rpartition(".")[2]
    else:
        assert a == b


def test_torch_reads_what_taeda_wrote() -> None:
    found = carried(taeda, torch, nested(taeda))
    compare(found, nested(torch))
    assert found["base"].untyped_storage().data_ptr() == found["state"]["w"].untyped_storage().data_ptr()


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_taeda_reads_what_torch_wrote(protocol: int) -> None:
    found = carried(torch, taeda, nested(torch), pickle_protocol=protocol)
    compare(found, nested(taeda))
    assert found["base"].untyped_storage() is found["state"]["w"].untyped_storage()


def test_a_models_state_goes_both_ways() -> None:
    def model(t: Any) -> Any:
        return t.nn.Sequential(t.nn.Conv2d(1, 2, 3), t.nn.BatchNorm2d(2), t.nn.Flatten(), t.nn.Linear(72, 3))

    torch.manual_seed(0)
    taeda.manual_seed(0)
    mine, theirs = model(taeda), model(torch)
    x = np.random.default_rng(0).standard_normal((4, 1, 8, 8)).astype(np.float32)
    theirs(torch.from_numpy(x))
    mine.load_state_dict(carried(torch, taeda, theirs.state_dict()))
    wanted = theirs.eval()(torch.from_numpy(x)).detach().numpy()
    np.testing.assert_allclose(mine.eval()(taeda.from_numpy(x)).detach().numpy(), wanted, rtol=1e-4, atol=1e-5)
    fresh = model(torch)
    fresh.load_state_dict(carried(taeda, torch, mine.state_dict()))
    np.testing.assert_array_equal(fresh.eval()(torch.from_numpy(x)).detach().numpy(), wanted)


def test_parameters_stay_parameters() -> None:
    found = carried(torch, taeda, {"p": torch.nn.Parameter(torch.ones(2)), "frozen": torch.nn.Parameter(torch.ones(1), False)})
    assert all(isinstance(p, taeda.nn.Parameter) for p in found.values())
    assert found["p"].requires_grad and not found["frozen"].requires_grad
    found = carried(taeda, torch, {"p": taeda.nn.Parameter(taeda.ones(2)), "frozen": taeda.nn.Parameter(taeda.ones(1), False)})
    assert all(isinstance(p, torch.nn.Parameter) for p in found.values())
    assert found["p"].requires_grad and not found["frozen"].requires_grad


def test_optimizer_states() -> None:
    w = torch.ones(3, requires_grad=True)
    optimizer = torch.optim.Adam([w], lr=0.1)
    (w * w).sum().backward()
    optimizer.step()
    found = carried(torch, taeda, optimizer.state_dict())
    assert found["param_groups"][0]["lr"] == 0.1 and found["state"][0]["exp_avg"].tolist() == optimizer.state[w]["exp_avg"].tolist()


def test_files_without_checksums_and_mapped_files(tmp_path: Any) -> None:
    path = tmp_path / "m.pt"
    torch.serialization.set_crc32_options(False)
    try:
        torch.save(torch.arange(5.0), path)
    finally:
        torch.serialization.set_crc32_options(True)
    assert taeda.load(path).tolist() == [0, 1, 2, 3, 4]
    assert taeda.load(path, mmap=True).tolist() == [0, 1, 2, 3, 4]
    taeda.save(taeda.arange(5.0), path)
    assert torch.load(path, mmap=True).tolist() == [0, 1, 2, 3, 4]


def test_other_dtypes_are_held() -> None:
    found = carried(torch, taeda, [torch.ones(3, dtype=d) for d in (torch.float16, torch.bfloat16, torch.int8, torch.complex64)])
    assert [t.dtype for t in found] == [taeda.float16, taeda.bfloat16, taeda.int8, taeda.complex64]
    back = carried(taeda, torch, found)
    assert all(torch.equal(t, torch.ones_like(t)) for t in back)


UNNAMED = ["uint16", "uint32", "uint64", "complex32", "float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz", "float8_e8m0fnu"]


@pytest.mark.filterwarnings("ignore:ComplexHalf support")
@pytest.mark.parametrize("name", UNNAMED)
def test_dtypes_without_a_class_of_storage_are_held(name: str) -> None:
    """PyTorch writes them as bytes and a dtype (and cannot read its own files of them of the kind before 1.6)."""

    def state(t: Any) -> dict[str, Any]:
        x = t.arange(6.0).reshape(2, 3).to(getattr(t, name))
        return {"x": x, "view": x[:, 1], "p": t.nn.Parameter(x.clone(), requires_grad=False), "more": t.arange(3)}

    for writer, reader in ((torch, taeda), (taeda, torch)):
        found, wanted = carried(writer, reader, state(writer)), state(reader)
        for key, x in wanted.items():
            assert found[key].dtype == x.dtype and found[key].tolist() == x.tolist() and found[key].stride() == x.stride()
        assert type(found["p"]) is reader.nn.Parameter
        assert found["view"].untyped_storage().data_ptr() == found["x"].untyped_storage().data_ptr()


def test_both_refuse_the_same_global() -> None:
    class Evil:
        def __reduce__(self) -> Any:
            return eval, ("1 + 1",)

    for reader in (taeda, torch):
        with pytest.raises(pickle.UnpicklingError, match="eval"):
            carried(torch, reader, Evil())


def test_files_from_before_pytorch_1_6() -> None:
    found = carried(torch, taeda, nested(torch), _use_new_zipfile_serialization=False)
    compare(found, nested(taeda))
    assert found["base"].untyped_storage() is found["state"]["w"].untyped_storage()
    file = io.BytesIO()
    torch.save({"w": torch.arange(6.0)}, file, _use_new_zipfile_serialization=False)
    whole = file.getvalue()
    for n in range(16, len(whole), 5):
        with pytest.raises((RuntimeError, pickle.UnpicklingError)):
            taeda.load(io.BytesIO(whole[:n]))


LAYERS: dict[str, Any] = {
    "linear": (lambda nn: nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Dropout(0.2), nn.Linear(4, 2)), (2, 3)),
    "convolutions": (
        lambda nn: nn.Sequential(nn.Conv2d(3, 4, 3, padding="same"), nn.BatchNorm2d(4), nn.ConvTranspose2d(4, 2, 2), nn.Upsample(scale_factor=2)),
        (1, 3, 5, 5),
    ),
    "lstm": (lambda nn: nn.LSTM(3, 5, 2, bidirectional=True, proj_size=2), (4, 2, 3)),
    "gru": (lambda nn: nn.GRU(3, 5, bias=False), (4, 2, 3)),
    "encoder": (lambda nn: nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 8, activation="gelu", batch_first=True), 2), (2, 3, 4)),
    "norms": (lambda nn: nn.Sequential(nn.LayerNorm(4), nn.GroupNorm(2, 4), nn.InstanceNorm1d(4, affine=True), nn.RMSNorm(4)), (2, 4, 4)),
    "pools": (lambda nn: nn.Sequential(nn.MaxPool2d(2), nn.AdaptiveAvgPool2d(2), nn.LPPool2d(2, 1), nn.PixelShuffle(2)), (1, 4, 8, 8)),
    "activations": (lambda nn: nn.Sequential(nn.PReLU(), nn.GELU("tanh"), nn.Softmax(1), nn.Hardtanh(0, 6), nn.ReLU6(), nn.Threshold(1, 2)), (2, 3)),
    "weight norms": (lambda nn: nn.Sequential(nn.utils.weight_norm(nn.Linear(3, 4)), nn.utils.spectral_norm(nn.Linear(4, 2))), (2, 3)),
    "pads": (lambda nn: nn.Sequential(nn.ZeroPad2d(1), nn.ReflectionPad2d(1), nn.Unflatten(1, (3, 1)), nn.Flatten()), (1, 3, 4, 4)),
}  # fmt: skip


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.filterwarnings("ignore:enable_nested_tensor", "ignore:LSTM with projections", "ignore:`torch.nn.utils.weight_norm`")
def test_whole_models_that_torch_pickled(name: str) -> None:
    make, shape = LAYERS[name]
    model = make(torch.nn).eval()
    file = io.BytesIO()
    torch.save(model, file)
    file.seek(0)
    ours = taeda.load(file, weights_only=False)
    x = np.random.default_rng(0).normal(size=shape).astype("f4")
    found, wanted = ours(taeda.from_numpy(x)), model(torch.from_numpy(x))
    found, wanted = (y[0] if isinstance(y, tuple) else y for y in (found, wanted))
    np.testing.assert_allclose(found.detach().numpy(), wanted.detach().numpy(), rtol=1e-5, atol=1e-6)
    assert repr(ours) == repr(model) and list(ours.state_dict()) == list(model.state_dict())
    assert all(type(module).__module__.startswith("taeda.nn") for module in ours.modules())
    copied = pickle.loads(pickle.dumps(ours)).train()
    assert [p.shape for p in copied.parameters()] == [tuple(p.shape) for p in model.parameters()]


def test_a_pickled_optimizer_and_a_name_that_only_torch_has() -> None:
    p = torch.nn.Parameter(torch.ones(3))
    optimizer = torch.optim.Adam([p], lr=0.1)
    p.sum().backward()
    optimizer.step()
    for obj in (optimizer, torch.ao.nn.quantized.FloatFunctional()):
        file = io.BytesIO()
        torch.save(obj, file)
        file.seek(0)
        if obj is optimizer:
            ours = taeda.load(file, weights_only=False)
            (group,) = ours.param_groups
            group["params"][0].grad = taeda.ones(3)
            p.grad = torch.ones(3)
            ours.step(), optimizer.step()
            assert group["params"][0].tolist() == pytest.approx(p.tolist(), rel=1e-6)
        else:
            with pytest.raises(pickle.UnpicklingError, match=r"torch\.ao\.nn\.quantized\.\S*FloatFunctional, which is not in the taeda packages"):
                taeda.load(file, weights_only=False)


@pytest.mark.parametrize("weights_only", [True, False])
def test_a_stream_of_pickles_goes_to_pytorch_and_back(weights_only: bool) -> None:
    base = taeda.arange(6.0)
    obj = {"w": base.view(2, 3), "tail": base[4:], "n": taeda.tensor([1, 2]), "empty": taeda.empty(0), "b": taeda.ones(2).bfloat16(), "k": 3}
    file = io.BytesIO()
    taeda.save(obj, file, _use_new_zipfile_serialization=False)
    for load, weights in ((taeda.load, True), (torch.load, weights_only)):
        file.seek(0)
        found = load(file, weights_only=weights)
        assert list(found) == list(obj) and found["k"] == 3 and str(found["b"].dtype).endswith("bfloat16")
        found["w"][1, 1] = -1.0
        assert [found[name].tolist() for name in ("w", "tail", "n", "empty", "b")] == [[[0, 1, 2], [3, -1, 5]], [-1, 5], [1, 2], [], [1, 1]]


# -- plain pickles -----------------------------------------------------------------------------------


class Here(pickle.Unpickler):
    """Reads a plain pickle of PyTorch's as a program does for which ``torch`` is a name of taeda."""

    def find_class(self, module: str, name: str) -> Any:
        return super().find_class(re.sub(r"^torch\b", "taeda", module), name)


def here(obj: Any, protocol: int = 4) -> Any:
    return Here(io.BytesIO(pickle.dumps(obj, protocol))).load()


@pytest.mark.parametrize("protocol", [2, 5])
@pytest.mark.filterwarnings("ignore:TypedStorage is deprecated", "ignore:Sparse")
def test_tensors_that_torch_pickled_without_save(protocol: int) -> None:
    x = torch.arange(6.0).reshape(2, 3)
    theirs = {
        "x": x, "view": x[1:].t(), "half": x.bfloat16(), "flags": x > 2, "none": torch.empty(0, 3),
        "leaf": torch.ones(2, requires_grad=True),
        "parameter": torch.nn.Parameter(x), "complex": torch.complex(x, x + 1), "sparse": x.to_sparse(), "rows": x.to_sparse_csr(),
    }  # fmt: skip
    ours = here(theirs, protocol)
    for name, found in ours.items():
        want = theirs[name]
        assert found.tolist() == want.tolist() if found.layout is taeda.strided else taeda.equal(found.to_dense(), ours["x"])
        assert (str(found.dtype)[6:], found.requires_grad) == (str(want.dtype)[6:], want.requires_grad), name
    assert ours["view"].stride() == (1, 3) and type(ours["parameter"]) is taeda.nn.Parameter
    assert here(x.storage(), protocol).tolist() == x.flatten().tolist()
    assert here([torch.float16, x.shape, torch.device("cpu"), torch.strided], protocol) == [
        taeda.float16, taeda.Size([2, 3]), taeda.device("cpu"), taeda.strided,
    ]  # fmt: skip


def test_conjugated_views_keep_their_values() -> None:
    z = torch.complex(torch.tensor([1.0, -2.0]), torch.tensor([3.0, 4.0]))
    theirs = [z.conj(), z.clone().conj().imag.clone(), z.clone().requires_grad_()]
    file = io.BytesIO()
    torch.save(theirs, file)
    file.seek(0)
    for ours in (here(theirs), taeda.load(file)):
        assert [t.tolist() for t in ours] == [t.tolist() for t in theirs]
        assert [t.requires_grad for t in ours] == [False, False, True]


@pytest.mark.parametrize("weights_only", [True, False])
@pytest.mark.parametrize("zipped", [True, False])
def test_conjugated_views_keep_their_values_in_files_of_either_format(zipped: bool, weights_only: bool) -> None:
    z = torch.complex(torch.tensor([1.0, -2.0]), torch.tensor([3.0, 4.0]))
    theirs = {
        "plain": z, "conj": z.conj(), "neg": z.clone().conj().imag, "leaf": z[1:].conj().detach().requires_grad_(),
        "parameter": torch.nn.Parameter(z.clone().conj().imag),
        "sparse": torch.sparse_coo_tensor([[1, 0]], z.conj(), (3,), check_invariants=True),
    }  # fmt: skip
    file = io.BytesIO()
    torch.save(theirs, file, _use_new_zipfile_serialization=zipped)
    file.seek(0)
    ours = taeda.load(file, weights_only=weights_only)
    for name, t in theirs.items():
        found = ours[name].to_dense() if name == "sparse" else ours[name]
        assert found.tolist() == t.to_dense().tolist() and found.requires_grad == t.requires_grad, name
    assert ours["plain"].tolist() == z.tolist() and type(ours["parameter"]) is taeda.nn.Parameter


def test_models_and_functions_that_torch_pickled_without_save() -> None:
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.GELU()).eval()
    model[0].activation, x = torch.tanh, torch.ones(1, 3)
    ours = here(model)
    np.testing.assert_allclose(ours(taeda.ones(1, 3)).detach().numpy(), model(x).detach().numpy(), rtol=1e-5)
    assert ours[0].activation is taeda.tanh
    theirs, mine = (
        [f.gelu, f.linear, f.logsigmoid, f.relu, t.stack, t.special.erf, t.linalg.norm, t.fft.rfft, t.Tensor.relu]
        for t, f in ((torch, torch.nn.functional), (taeda, taeda.nn.functional))
    )
    assert here(theirs) == mine
    with pytest.raises(AttributeError, match="no attribute 'special_nothing'"):
        taeda._C._special.special_nothing


def test_a_generator_that_torch_pickled_draws_on() -> None:
    g = torch.Generator().manual_seed(3)
    torch.rand(5, generator=g)
    ours = here(g)
    assert taeda.rand(4, generator=ours).tolist() == torch.rand(4, generator=g).tolist() and ours.initial_seed() == 3
    with pytest.raises(TypeError, match=r"\(seed, offset, state\), got dict"):
        ours.__setstate__({})


def test_models_saved_whole_name_pytorchs_functions_and_hold_their_weights_twice(tmp_path) -> None:
    path = tmp_path / "whole.pt"
    program = (
        "import torch, torch.nn.functional as F\n"
        "torch.manual_seed(0)\n"
        "layers = torch.nn.LSTM(2, 4), torch.nn.TransformerEncoderLayer(4, 2, 8, activation=F.relu, batch_first=True), "
        "torch.nn.utils.spectral_norm(torch.nn.Linear(2, 3))\n"
        "functions = F.relu, F.gelu, F.logsigmoid, F.tanh, torch.tanh, torch.linalg.norm, torch.nn.init.ones_, torch.Tensor, torch.Tensor.add\n"
        f"torch.save([layers, functions, layers[0](torch.ones(3, 2))[0]], {str(path)!r})"
    )
    subprocess.run([sys.executable, "-c", f"import taeda.as_torch\ntaeda.as_torch.install()\n{program}"], check=True)
    for library in (torch, taeda):
        layers, functions, y = library.load(path, weights_only=False)
        f = library.nn.functional
        assert functions[:3] == (f.relu, f.gelu, f.logsigmoid) and functions[4:8] == (
            library.tanh, library.linalg.norm, library.nn.init.ones_, library.Tensor)
        assert functions[8](library.ones(1), 2).item() == 3 and functions[3](library.zeros(1)).item() == 0
        assert library.allclose(layers[0](library.ones(3, 2))[0], y, rtol=1e-5, atol=1e-6)
        assert layers[1](library.ones(1, 2, 4)).shape == (1, 2, 4)
        assert layers[2](library.ones(1, 2)).shape == (1, 3) and "weight_u" in layers[2].state_dict()


@pytest.mark.parametrize("name", ["CyclicLR triangular", "CyclicLR triangular2", "CyclicLR exp_range", "SWALR cos", "SWALR linear", "OneCycleLR cos"])
def test_whole_schedules_that_torch_pickled(name: str) -> None:
    kind, way = name.split()
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(2))], lr=0.1, momentum=0.9)
    schedules = torch.optim.lr_scheduler
    if kind == "SWALR":
        theirs: Any = torch.optim.swa_utils.SWALR(optimizer, 0.05, anneal_epochs=4, anneal_strategy=way)
    elif kind == "CyclicLR":
        theirs = schedules.CyclicLR(optimizer, 0.1, 0.5, step_size_up=2, mode=way, gamma=0.9)
    else:
        theirs = schedules.OneCycleLR(optimizer, 0.5, total_steps=9, anneal_strategy=way)
    file = io.BytesIO()
    optimizer.step(), theirs.step()
    torch.save(theirs, file)
    file.seek(0)
    ours = taeda.load(file, weights_only=False)
    for _ in range(6):
        for schedule in (ours, theirs):
            schedule.optimizer.step(), schedule.step()
        assert ours.get_last_lr() == pytest.approx(theirs.get_last_lr())
