"""nn.utils and nn.summary; every public name is documented with an example that runs."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
import subprocess
import sys

import pytest

import taeda
from taeda import nn


def _with_grads():
    ps = [nn.Parameter(taeda.zeros(2)), nn.Parameter(taeda.zeros(1)), nn.Parameter(taeda.zeros(1))]
    ps[0].grad, ps[1].grad = taeda.tensor([3.0, 0.0]), taeda.tensor([-4.0])
    return ps


def test_clip_grad_norm():
    ps = _with_grads()
    assert nn.utils.clip_grad_norm_(ps, 1.0).item() == 5.0
    assert abs(ps[0].grad[0].item() - 0.6) < 1e-6 and abs(ps[1].grad[0].item() + 0.8) < 1e-6
    assert ps[2].grad is None
    assert nn.utils.clip_grad_norm_(ps, 10.0).item() == pytest.approx(1.0)
    assert abs(ps[0].grad[0].item() - 0.6) < 1e-6, "a norm below the limit changes nothing"
    assert nn.utils.clip_grad_norm_(_with_grads(), 1.0, float("inf")).item() == 4.0
    assert nn.utils.clip_grad_norm_(iter(_with_grads()), 1.0).item() == 5.0
    assert nn.utils.clip_grad_norm_([], 1.0).item() == 0.0


def test_clip_grad_norm_of_nan():
    ps = _with_grads()
    ps[0].grad.fill_(float("nan"))
    with pytest.raises(RuntimeError, match="non-finite"):
        nn.utils.clip_grad_norm_(ps, 1.0, error_if_nonfinite=True)
    assert ps[1].grad.tolist() == [-4.0], "nothing is scaled before the error"


def test_clip_grad_value():
    ps = _with_grads()
    nn.utils.clip_grad_value_(ps, 2.0)
    assert ps[0].grad.tolist() == [2.0, 0.0] and ps[1].grad.tolist() == [-2.0]


def test_parameters_to_a_vector_and_back():
    m = nn.Linear(2, 3)
    vector = nn.utils.parameters_to_vector(m.parameters())
    assert vector.shape == (9,) and vector.requires_grad
    nn.utils.vector_to_parameters(taeda.arange(9.0), m.parameters())
    assert m.weight.tolist() == [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]] and m.bias.tolist() == [6.0, 7.0, 8.0]
    with pytest.raises(TypeError):
        nn.utils.vector_to_parameters([1.0], m.parameters())
    with pytest.raises(RuntimeError, match="too few"):
        nn.utils.vector_to_parameters(taeda.ones(3), m.parameters())


def test_summary_counts():
    net = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(64, 10))
    net[4].weight.requires_grad_(False)
    s = nn.summary(net, (2, 1, 4, 4))
    assert [r.output for r in s.rows] == [(2, 4, 4, 4), (2, 4, 4, 4), (2, 4, 4, 4), (2, 64), (2, 10)]
    assert [r.parameters for r in s.rows] == [40, 8, 0, 0, 650]
    assert s.total_parameters == 698 and s.trainable_parameters == 58
    assert s.rows[0].multiply_adds == 2 * 4 * 16 * 9 and s.rows[4].multiply_adds == 2 * 640
    assert "0 (Conv2d)" in str(s) and "(2, 4, 4, 4)" in str(s)
    assert not net[0].weight.is_meta and net[1].num_batches_tracked.item() == 0, "the model itself is not run"


def test_summary_counts_shared_weights_once():
    layer = nn.Linear(2, 2)
    s = nn.summary(nn.Sequential(layer, nn.ReLU(), layer), (1, 2))
    assert [r.parameters for r in s.rows] == [6, 0, 0] and s.total_parameters == 6


def test_summary_of_shapes_that_do_not_fit_names_the_layer():
    with pytest.raises(RuntimeError, match=r"in model.1 \(Linear\)"):
        nn.summary(nn.Sequential(nn.ReLU(), nn.Linear(3, 1)), (2, 4))


def test_summary_of_several_inputs_and_indices():
    s = nn.summary(nn.Bilinear(2, 3, 4), [(5, 2), (5, 3)])
    assert s.rows[0].output == (5, 4) and s.rows[0].multiply_adds == 5 * 4 * 6
    assert nn.summary(nn.Embedding(9, 3), (2, 5), dtypes=[taeda.int64]).rows[0].output == (2, 5, 3)


def test_summary_of_lazy_and_parametrised_layers():
    net = nn.Sequential(nn.LazyConv2d(4, 3), nn.Flatten(), nn.LazyLinear(3))
    s = nn.summary(net, (2, 1, 5, 5))
    assert [(r.layer, r.parameters) for r in s.rows] == [("Conv2d", 40), ("Flatten", 0), ("Linear", 111)]
    assert s.total_parameters == 151 and net[0].has_uninitialized_params(), "the model itself stays lazy"
    net = nn.Sequential(
        nn.utils.parametrizations.weight_norm(nn.Linear(3, 4)), nn.utils.prune.l1_unstructured(nn.Linear(4, 2), "weight", 1)
    )
    net[0].bias.requires_grad_(False)
    s = nn.summary(net, (2, 3))
    assert [(r.name, r.layer, r.parameters, r.multiply_adds) for r in s.rows] == [("0", "Linear", 20, 24), ("1", "Linear", 10, 16)]
    assert s.total_parameters == 30 and s.trainable_parameters == 26


def test_summary_counts_what_recurrent_and_attending_layers_multiply():
    (row,) = nn.summary(nn.LSTM(3, 5, num_layers=2), (7, 2, 3)).rows
    assert row.multiply_adds == 7 * 2 * (20 * 3 + 20 * 5 + 2 * 20 * 5) and row.parameters == 20 * 8 + 20 * 10 + 80
    (row,) = nn.summary(nn.GRUCell(3, 5), (2, 3)).rows
    assert row.multiply_adds == 2 * 15 * 8
    s = nn.summary(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True).eval(), (3, 5, 8))
    (attention,) = [r for r in s.rows if r.layer == "MultiheadAttention"]
    assert attention.parameters == 4 * 64 + 4 * 8 and attention.multiply_adds == 3 * 5 * (4 * 64 + 2 * 5 * 8)
    assert sum(r.parameters for r in s.rows) == s.total_parameters
    assert sum(r.multiply_adds for r in s.rows if r.layer == "Linear") == 3 * 5 * 2 * 8 * 16


DATA_DEPENDENT = [
    lambda m: nn.BatchNorm1d(3, momentum=None).to(m)(taeda.empty(4, 3, device=m)),
    lambda m: nn.Embedding(9, 3, max_norm=1.0).to(m)(taeda.zeros(4, dtype=taeda.int64, device=m)),
    lambda m: nn.RReLU()(taeda.empty(4, 3, device=m)),
    lambda m: nn.GaussianNLLLoss()(*(taeda.ones(4, 3, device=m) for _ in range(3))),
]


@pytest.mark.parametrize("i", range(len(DATA_DEPENDENT)))
def test_layers_that_look_at_data_give_shapes_on_meta(i):
    assert DATA_DEPENDENT[i]("meta").shape == DATA_DEPENDENT[i]("cpu").shape


def _modules():
    yield nn
    for info in pkgutil.walk_packages(nn.__path__, "taeda.nn."):
        yield importlib.import_module(info.name)


@pytest.mark.parametrize("module", list(_modules()), ids=lambda m: m.__name__)
def test_examples_in_docstrings(module):
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize("space", [nn.modules, nn.functional], ids=lambda m: m.__name__)
def test_the_listed_names_are_those_of_the_files(space):
    """__all__ is written out, for type checkers; no name may be missing from it."""
    listed = set(space.__all__)
    found = {"Module"} if space is nn.modules else set()
    for info in pkgutil.iter_modules(space.__path__):
        if not info.name.startswith("_") and info.name not in ("module", "utils"):
            found |= set(importlib.import_module(f"{space.__name__}.{info.name}").__all__)
    assert listed == found
    assert set(nn.__all__) >= set(nn.modules.__all__)


@pytest.mark.parametrize(
    "room, name",
    [
        ("loss", "MSELoss"), ("loss", "TripletMarginLoss"), ("loss", "NLLLoss"), ("conv", "LazyConv2d"), ("linear", "LazyLinear"),
        ("activation", "MultiheadAttention"), ("container", "ParameterList"), ("pooling", "FractionalMaxPool2d"),
    ],
)  # fmt: skip
def test_a_star_import_of_a_file_brings_all_that_pytorch_has_there(room, name):
    names = {}
    exec(f"from taeda.nn.modules.{room} import *", names)
    assert names[name] is getattr(nn, name)


def test_every_layer_has_a_docstring_with_an_example():
    plain = {"Container", "NLLLoss2d", "Summary", "RNNBase", "RNNCellBase"}
    for name in nn.__all__:
        thing = getattr(nn, name)
        if inspect.isclass(thing) and name not in plain:
            assert thing.__doc__ and ">>>" in thing.__doc__, name


def test_every_function_is_documented():
    for space in (nn.functional, nn.init, nn.utils):
        for name, thing in vars(space).items():
            if callable(thing) and not name.startswith("_") and not inspect.isclass(thing):
                assert thing.__doc__, f"{space.__name__}.{name}"


def test_gradients_of_convolutions_are_reached_from_functional() -> None:
    assert taeda.nn.functional.grad is taeda.nn.grad and taeda.nn.functional.grad.conv2d_input is taeda.nn.grad.conv2d_input


def test_gradients_of_a_convolutions_input_bear_pytorchs_name() -> None:
    w = taeda.ones(1, 1, 2, requires_grad=True)
    assert nn.grad.conv1d_input((1, 1, 4), w, taeda.ones(1, 1, 3)).grad_fn.name() == "ConvolutionBackwardBackward0"


def test_adaptive_pools_of_the_compiled_module_write_into_out_and_tell_places() -> None:
    nn, x = taeda._C._nn, taeda.arange(16.0).reshape(1, 1, 4, 4)
    y, at = taeda.empty(0), taeda.empty(0, dtype=taeda.int64)
    assert nn.adaptive_avg_pool2d(x, (2, 2), out=y) is y and y.flatten().tolist() == [2.5, 4.5, 10.5, 12.5]
    assert nn.adaptive_max_pool2d(x, (2, 2))[1].flatten().tolist() == [5, 7, 13, 15]
    found = nn.adaptive_max_pool2d(x, (2, 2), out=(y, at))
    assert found[0] is y and found[1] is at and y.flatten().tolist() == at.flatten().tolist() == [5, 7, 13, 15]
    with pytest.raises(RuntimeError, match=r"\[adaptive_avg_pool2d\] Expected out tensor to have dtype"):
        nn.adaptive_avg_pool2d(x, 2, out=y.double())


def test_rooms_within_rooms_are_attributes_without_an_import_of_their_own() -> None:
    program = "import taeda; from taeda import nn; print(nn.common_types._size_2_t, nn.parallel.comm is nn.parallel.scatter_gather, "
    program += "callable(nn.parallel.comm.gather), taeda.fx.passes.utils.matcher_utils.SubgraphMatcher.__name__)"
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert said == "int | tuple[int, int] True True SubgraphMatcher\n"
