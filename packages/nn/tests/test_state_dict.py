"""state_dict and load_state_dict."""

from __future__ import annotations

import copy
import io
import pickle
import weakref
from collections import OrderedDict

import pytest

import taeda
from taeda import nn


def _net():
    return nn.Sequential(OrderedDict(lin=nn.Linear(2, 2), bn=nn.BatchNorm1d(2), out=nn.Sequential(nn.Linear(2, 1))))


def test_keys_versions_and_sharing():
    net = _net()
    state = net.state_dict()
    assert list(state) == [
        "lin.weight", "lin.bias", "bn.weight", "bn.bias", "bn.running_mean", "bn.running_var",
        "bn.num_batches_tracked", "out.0.weight", "out.0.bias",
    ]  # fmt: skip
    assert state._metadata["bn"] == {"version": 2} and state._metadata[""] == {"version": 1}
    assert not state["lin.weight"].requires_grad
    state["lin.weight"].fill_(3)
    assert net.lin.weight.tolist() == [[3.0, 3.0], [3.0, 3.0]]
    assert net.state_dict(keep_vars=True)["lin.weight"] is net.lin.weight
    assert list(net.lin.state_dict(prefix="a.")) == ["a.weight", "a.bias"]


def test_round_trip():
    a, b = _net(), _net()
    result = b.load_state_dict(a.state_dict())
    assert repr(result) == "<All keys matched successfully>"
    for key, value in a.state_dict().items():
        assert value.tolist() == b.state_dict()[key].tolist()
    assert b.lin.weight is not a.lin.weight


def test_report_lists_everything():
    net, state = _net(), _net().state_dict()
    del state["bn.bias"], state["out.0.bias"]
    state["lin.weight"] = taeda.ones(3, 2)
    state["lin.gain"] = taeda.ones(1)
    state["other.x"] = taeda.ones(1)
    state["lin.bias"] = "text"
    before = net.lin.weight.tolist()
    with pytest.raises(RuntimeError) as e:
        net.load_state_dict(state)
    assert str(e.value) == (
        "Error(s) in loading state_dict for Sequential:\n"
        '\tMissing key(s) in state_dict: "bn.bias", "out.0.bias". \n'
        '\tUnexpected key(s) in state_dict: "other.x", "lin.gain". \n'
        "\tsize mismatch for lin.weight: copying a param with shape taeda.Size([3, 2]) from checkpoint, the shape in "
        "current model is taeda.Size([2, 2]).\n"
        '\tWhile copying the parameter named "lin.bias", expected taeda.Tensor or Tensor-like object from checkpoint '
        "but received <class 'str'>"
    )
    assert net.lin.weight.tolist() == before


def test_not_strict_returns_the_keys():
    net, state = _net(), _net().state_dict()
    del state["lin.bias"]
    state["more"] = taeda.ones(1)
    result = net.load_state_dict(state, strict=False)
    assert result.missing_keys == ["lin.bias"] and result.unexpected_keys == ["more"]
    with pytest.raises(RuntimeError, match="size mismatch for lin.bias"):
        net.load_state_dict({"lin.bias": taeda.ones(5)}, strict=False)


def test_a_wrong_argument_is_a_type_error():
    with pytest.raises(TypeError, match=r"got <class 'str'>. hint: taeda.load\(path\) reads a file"):
        nn.Linear(1, 1).load_state_dict("model.pt")
    with pytest.raises(TypeError, match="Expected state_dict to be dict-like, got <class 'int'>.$"):
        _net().load_state_dict(3)


def test_assign_takes_the_tensors_themselves():
    net = nn.Linear(2, 1, device="meta")
    weight = taeda.ones(1, 2)
    net.load_state_dict({"weight": weight, "bias": taeda.zeros(1)}, assign=True)
    assert isinstance(net.weight, nn.Parameter) and net.weight.data_ptr() == weight.data_ptr()
    assert net.weight.requires_grad
    with pytest.warns(UserWarning, match="assign=True"):
        nn.Linear(2, 1, device="meta").load_state_dict({"weight": weight, "bias": taeda.zeros(1)})


def test_values_are_cast_to_the_models_dtype():
    net = nn.Linear(2, 1)
    net.load_state_dict({"weight": taeda.ones(1, 2, dtype=taeda.float64), "bias": taeda.ones(1)})
    assert net.weight.dtype == taeda.float32 and net.weight.tolist() == [[1.0, 1.0]]


def test_a_scalar_kept_as_one_element():
    m = nn.Module()
    m.s = nn.Parameter(taeda.tensor(0.0))
    m.load_state_dict({"s": taeda.tensor([4.0])})
    assert m.s.item() == 4.0


def test_batch_norm_files_of_version_one():
    bn = nn.BatchNorm1d(2)
    state = bn.state_dict()
    del state["num_batches_tracked"]
    state._metadata[""]["version"] = 1
    bn.load_state_dict(state)
    with pytest.raises(RuntimeError, match="num_batches_tracked"):
        state._metadata[""]["version"] = 2
        bn.load_state_dict(state)


class Counter(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def get_extra_state(self):
        return {"count": self.count}

    def set_extra_state(self, state):
        self.count = state["count"]


def test_extra_state():
    a, b = nn.Sequential(Counter()), nn.Sequential(Counter())
    a[0].count = 5
    assert a.state_dict()["0._extra_state"] == {"count": 5}
    b.load_state_dict(a.state_dict())
    assert b[0].count == 5
    with pytest.raises(RuntimeError, match='Missing key.*"0._extra_state"'):
        b.load_state_dict({})
    with pytest.raises(RuntimeError, match='Unexpected key.*"0._extra_state"'):
        nn.Sequential(nn.ReLU()).load_state_dict(a.state_dict())


def test_hooks():
    net = nn.Linear(1, 1)
    log = []
    net.register_state_dict_pre_hook(lambda m, prefix, keep: log.append(("pre", prefix, keep)))
    post = net.register_state_dict_post_hook(lambda m, state, prefix, meta: state.update({prefix + "x": 1}))
    assert "x" in net.state_dict()
    post.remove()
    net.register_load_state_dict_pre_hook(lambda m, state, prefix, *rest: state.pop("old", None))
    held = weakref.ref(other := copy.deepcopy(net))
    (hook,) = other._load_state_dict_pre_hooks.values()
    assert hook.with_module and hook.module is other
    del other, hook
    assert held() is None                                    # no cycle: gone at once
    net.register_load_state_dict_post_hook(lambda m, keys: keys.missing_keys.clear())
    net.load_state_dict({"weight": taeda.ones(1, 1), "old": 3})
    assert log == [("pre", "", False)]
    bad = net.register_state_dict_post_hook(lambda *a: 3)
    with pytest.raises(RuntimeError, match="state_dict post-hook must return None"):
        net.state_dict()
    bad.remove()
    net.state_dict()


def test_load_does_not_change_the_given_dict():
    net = nn.BatchNorm1d(2)
    state = OrderedDict(net.state_dict())
    del state["num_batches_tracked"]
    n = len(state)
    net.load_state_dict(state)
    assert len(state) == n


def test_the_prefix_of_a_wrapper_is_taken_off():
    model = nn.Sequential(nn.BatchNorm1d(2))
    state = nn.DataParallel(model).state_dict()
    nn.modules.utils.consume_prefix_in_state_dict_if_present(state, "module.")
    assert list(state) == list(model.state_dict()) and state._metadata["0"] == {"version": 2}
    nn.Sequential(nn.BatchNorm1d(2)).load_state_dict(state)


def lacking(module, *names):
    """The module as a pickle of an early version of PyTorch gives it."""
    state = {k: v for k, v in module.__getstate__().items() if k not in names}
    made = type(module).__new__(type(module))
    made.__setstate__(state)
    return made


def test_pickles_of_early_versions_lack_attributes():
    x = taeda.randn(2, 3, 4)
    rnn = nn.LSTM(4, 5, 2, bidirectional=True, batch_first=True)
    early = lacking(rnn, "proj_size", "_all_weights", "_flat_weights_names")
    assert taeda.equal(early(x)[0], rnn(x)[0]) and early._all_weights == rnn._all_weights
    state = rnn.__getstate__() | {"_flat_weights": [], "_flat_weight_refs": []}
    again = nn.LSTM.__new__(nn.LSTM)
    again.__setstate__(state)
    assert taeda.equal(again(x)[0], rnn(x)[0])
    assert lacking(nn.Upsample(scale_factor=2), "recompute_scale_factor").recompute_scale_factor is True
    pool = lacking(nn.AvgPool3d(2), "padding", "ceil_mode", "count_include_pad")
    assert pool(taeda.ones(1, 2, 2, 2)).item() == 1
    for layer in (nn.Softmax(1), nn.LogSoftmax(1), nn.Softmin(1)):
        assert lacking(layer, "dim").dim is None
    assert lacking(nn.Conv1d(1, 1, 1), "padding_mode").padding_mode == "zeros"
    attention = nn.MultiheadAttention(4, 2)
    assert taeda.equal(lacking(attention, "_qkv_same_embed_dim")(x, x, x)[0], attention(x, x, x)[0])
    layer = nn.TransformerEncoderLayer(4, 2, 8).eval()
    assert taeda.equal(lacking(layer, "activation")(x), layer(x))


def test_programs_find_the_key_of_extra_state_in_the_module_of_modules() -> None:
    from taeda.nn.modules import module

    assert module._EXTRA_STATE_KEY_SUFFIX == "_extra_state"


def test_a_whole_module_is_loaded_by_the_classes_that_are_allowed() -> None:
    model = nn.Sequential(nn.Linear(2, 1), nn.BatchNorm1d(1), nn.ReLU())
    file = io.BytesIO()
    taeda.save(model, file)
    file.seek(0)
    with pytest.raises(pickle.UnpicklingError):
        taeda.load(file)
    file.seek(0)
    with taeda.serialization.safe_globals([nn.Sequential, nn.Linear, nn.BatchNorm1d, nn.ReLU]):
        got = taeda.load(file)
    assert str(got) == str(model)
    x = taeda.ones(3, 2)
    assert taeda.equal(got(x), model(x))
