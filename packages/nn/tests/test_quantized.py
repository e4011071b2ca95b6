"""What models in floating point carry so that they could be quantised does what its name says."""

from __future__ import annotations

import pytest

import taeda
import taeda.ao.quantization as marks
from taeda.nn.quantized import DeQuantStub, FloatFunctional, QuantStub


def test_marks_pass_their_input_on() -> None:
    x = taeda.arange(3.0)
    assert QuantStub()(x) is x and DeQuantStub()(x) is x and not hasattr(QuantStub(), "qconfig") and QuantStub("some").qconfig == "some"
    assert marks.QuantStub is QuantStub and marks.DeQuantStub is DeQuantStub
    with pytest.raises(AttributeError, match="no quantised tensors"):
        _ = marks.prepare


def test_sums_are_observed_and_leave_no_state() -> None:
    f, x, y = FloatFunctional(), taeda.tensor([1.0, -5.0]), taeda.tensor([2.0, 3.0])
    assert f.state_dict() == {} and [name for name, _ in f.named_children()] == ["activation_post_process"]
    seen = []
    f.activation_post_process.register_forward_hook(lambda module, args, out: seen.append(out.tolist()))
    assert f.add(x, y).tolist() == [3.0, -2.0] and f.mul(x, y).tolist() == [2.0, -15.0] and f.add_relu(x, y).tolist() == [3.0, 0.0]
    assert f.cat([x, y]).tolist() == [1.0, -5.0, 2.0, 3.0] and f.matmul(x, y).item() == -13.0
    assert len(seen) == 5
    assert f.add_scalar(x, 1.0).tolist() == [2.0, -4.0] and f.mul_scalar(x, 2.0).tolist() == [2.0, -10.0] and len(seen) == 5
    with pytest.raises(RuntimeError, match="one of its methods"):
        f(x)
