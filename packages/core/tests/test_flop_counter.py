"""Operations counted: by hand, by module, in backward passes of every kind, and never where the counter does not look."""

from __future__ import annotations

from typing import Any

import pytest

import taeda
from taeda.utils.flop_counter import FlopCounterMode, register_flop_formula
from taeda.utils.module_tracker import ModuleTracker


def counts(call: Any, **options: Any) -> dict[str, dict[Any, int]]:
    with FlopCounterMode(display=False, **options) as counter:
        call()
    found = {module: {str(op) if hasattr(op, "overloads") else op: n for op, n in ops.items()}
             for module, ops in counter.get_flop_counts().items()}
    assert counter.get_total_flops() == sum(found.get("Global", {}).values())
    return found


def leaf(*shape: int) -> taeda.Tensor:
    return taeda.randn(*shape, requires_grad=True)


def test_a_product_forward_and_backward() -> None:
    a, b = leaf(3, 4), leaf(4, 5)
    assert counts(lambda: a @ b) == {"Global": {"aten.mm": 120}}
    assert counts(lambda: (a @ b).sum().backward()) == {"Global": {"aten.mm": 360}}
    assert counts(lambda: (a @ b.detach()).sum().backward()) == {"Global": {"aten.mm": 240}}


def test_counts_are_found_by_the_operator() -> None:
    with FlopCounterMode(display=False) as counter:
        (leaf(3, 4) @ leaf(4, 5)).sum().backward()
    assert counter.get_flop_counts()["Global"][taeda.ops.aten.mm] == counter.flop_counts["Global"][taeda.ops.aten.mm] == 360


def test_the_block_alone_is_counted() -> None:
    a, b = leaf(3, 4), leaf(4, 5)
    with FlopCounterMode(display=False) as counter:
        y = a @ b
    y.sum().backward()                                       # its node was hooked in the block, and runs outside it
    a @ b
    assert counter.get_total_flops() == 120
    with counter:
        pass
    assert counter.get_total_flops() == 0


def test_passes_for_chosen_inputs_and_passes_again() -> None:
    a, b = leaf(3, 4), leaf(4, 5)
    assert counts(lambda: taeda.autograd.grad((a @ b).sum(), a)) == {"Global": {"aten.mm": 240}}

    def twice() -> None:
        y = (a @ b).sum()
        y.backward(retain_graph=True)
        y.backward()

    assert counts(twice) == {"Global": {"aten.mm": 120 + 2 * 240}}
    assert counts(lambda: taeda.autograd.grad((a @ b).sum(), a, create_graph=True)) == {"Global": {"aten.mm": 240}}


def test_a_pass_that_fails_does_not_end_the_counting() -> None:
    a, b = leaf(3, 4), leaf(4, 5)

    def call() -> None:
        y = (a @ b).sum()
        y.backward()
        with pytest.raises(RuntimeError):
            y.backward()
        _ = a @ b

    assert counts(call) == {"Global": {"aten.mm": 480}}


def test_gradients_are_not_touched() -> None:
    x, w = leaf(1, 2, 5, 5), leaf(3, 2, 3, 3)
    taeda.conv2d(x, w).square().sum().backward()
    expected = x.grad.clone(), w.grad.clone()
    x.grad = w.grad = None
    found = counts(lambda: taeda.conv2d(x, w).square().sum().backward())
    assert (x.grad == expected[0]).all() and (w.grad == expected[1]).all()
    forward = 2 * 1 * 9 * 9 * 3 * 2
    assert found == {"Global": {"aten.convolution": forward, "aten.convolution_backward": 2 * forward}}


def test_no_grad_and_empty_operands() -> None:
    with taeda.no_grad():
        assert counts(lambda: leaf(3, 4) @ leaf(4, 5)) == {"Global": {"aten.mm": 120}}
    assert counts(lambda: taeda.ones(0, 4) @ taeda.ones(4, 5)) == {"Global": {"aten.mm": 0}}
    assert counts(lambda: taeda.tensordot(taeda.ones(3, 0), taeda.ones(0, 5), 1)) == {"Global": {"aten.mm": 0}}
    assert counts(lambda: taeda.ones(3).exp()) == {}


def test_modules_are_told_apart() -> None:
    nn = pytest.importorskip("taeda.nn")
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    x = taeda.randn(5, 3)
    assert counts(lambda: model(x).sum().backward()) == {
        "Global": {"aten.addmm": 200, "aten.mm": 280}, "Sequential": {"aten.addmm": 200, "aten.mm": 280},
        "Sequential.0": {"aten.addmm": 120, "aten.mm": 120}, "Sequential.2": {"aten.addmm": 80, "aten.mm": 160}}
    with ModuleTracker() as tracker:
        seen = []
        model[2].register_forward_pre_hook(lambda *_: seen.append((set(tracker.parents), tracker.is_bw)))
        y = model(x)
        y.register_hook(lambda g: seen.append((set(tracker.parents), tracker.is_bw)))
        y.sum().backward()
        seen.append((set(tracker.parents), tracker.is_bw))
    assert seen[0] == ({"Global", "Sequential", "Sequential.2"}, False)
    assert seen[1][1] and seen[2] == ({"Global"}, False)


def test_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    with FlopCounterMode() as counter:
        taeda.ones(30, 40) @ taeda.ones(40, 50)
    assert capsys.readouterr().out == (
        "Module          FLOP    % Total\n"
        "----------  --------  ---------\n"
        "Global      120.000K    100.00%\n"
        " - aten.mm  120.000K    100.00%\n")
    assert counter.get_table(1) == counter.get_table()
    assert FlopCounterMode().get_table().splitlines()[2].split() == ["Global", "0", "0%"]


def test_functions_of_ones_own_and_the_old_argument() -> None:
    def formula(shape: tuple[int, ...], factor: int, out_shape: tuple[int, ...]) -> int:
        return shape[0] * factor + out_shape[1]

    found = counts(lambda: taeda.pow(taeda.ones(3, 4), 2), custom_mapping={taeda.pow: formula})
    assert found == {"Global": {taeda.pow: 10}}
    with pytest.warns(UserWarning, match="mods argument is not needed"):
        FlopCounterMode(mods=[])


def test_operators_with_formulas_of_ones_own() -> None:
    seen: list[Any] = []

    def raw(a: Any, b: Any, out_val: Any = None) -> int:
        seen.append((type(a), out_val.shape))
        return 100

    raw._get_raw = True
    aten = taeda.ops.aten
    x = leaf(2, 3)
    mapping = {aten.add: lambda *args, out_shape: 3, aten.mm: lambda a, b, out_shape: a[0] + out_shape[1], aten.mul: raw}
    found = counts(lambda: ((x @ taeda.ones(3, 2) + 1) * 2).sum().backward(), custom_mapping=mapping)
    assert found == {"Global": {"aten.mm": 2 + 2 + 2 + 3, "aten.add": 3, "aten.mul": 200}}        # two products, forward and backward
    assert seen == [(taeda.Tensor, (2, 2))] * 2


def test_registered_formulas() -> None:
    @taeda.library.custom_op("flops::triple", mutates_args=())
    def triple(x: taeda.Tensor) -> taeda.Tensor:
        return x * 3

    @register_flop_formula([taeda.ops.flops.triple])
    def formula(shape: Any, out_shape: Any = None) -> int:
        return shape.numel() * 10

    assert counts(lambda: (triple(taeda.ones(2, 2)), taeda.ops.flops.triple(taeda.ones(3)), leaf(2, 3) @ leaf(3, 2))) == {
        "Global": {"flops.triple": 70, "aten.mm": 24}}
    with pytest.raises(RuntimeError, match="duplicate"):
        register_flop_formula(taeda.ops.flops.triple)(formula)
    for wrong in (triple, taeda.mm, taeda.ops.aten.mm.default):
        with pytest.raises(ValueError, match="an operator such as"):
            register_flop_formula(wrong)(formula)


def test_an_error_in_the_block_leaves_nothing_behind() -> None:
    with pytest.raises(ZeroDivisionError), FlopCounterMode(display=False):
        _ = 1 / 0
    assert counts(lambda: leaf(3, 4) @ leaf(4, 5)) == {"Global": {"aten.mm": 120}}
