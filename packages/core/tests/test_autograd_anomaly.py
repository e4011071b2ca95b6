"""Anomaly mode and stale saved tensors: the error names the op, the forward line and the line that changed a tensor."""

from __future__ import annotations

import warnings

import pytest

import taeda
from leaves import leaf


@pytest.fixture
def anomaly():
    with taeda.autograd.set_detect_anomaly(True):
        yield
    assert not taeda.is_anomaly_enabled()


def test_nan_names_the_op_and_the_forward_line(anomaly: None) -> None:
    x = leaf(0)
    y = (x.sqrt() * 0).sum()  # the forward line
    with pytest.warns(UserWarning, match="(?s)Error detected in SqrtBackward0.*Traceback of forward call.*the forward line"):
        with pytest.raises(RuntimeError, match=r"'SqrtBackward0' returned nan values in its 0th output.*test_autograd_anomaly.py:\d+.*the forward line"):
            y.backward()
    assert x.grad is None


def test_nan_can_be_let_through() -> None:
    x = leaf(0)
    with taeda.autograd.set_detect_anomaly(True, check_nan=False):
        assert taeda.is_anomaly_enabled() and not taeda.is_anomaly_check_nan_enabled()
        (x.sqrt() * 0).sum().backward()
    assert x.grad.isnan().all()


def test_an_error_of_a_backward_keeps_its_type(anomaly: None) -> None:
    class Fails(taeda.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, g):
            raise ValueError("on purpose")

    y = Fails.apply(leaf(1))
    with pytest.warns(UserWarning, match="Error detected in FailsBackward"), pytest.raises(ValueError, match="on purpose"):
        y.backward()


def test_a_graph_recorded_before_the_mode_says_so() -> None:
    y = (leaf(0).sqrt() * 0).sum()
    with taeda.autograd.set_detect_anomaly(True), pytest.warns(UserWarning, match="No forward pass information available"):
        with pytest.raises(RuntimeError, match="returned nan values"):
            y.backward()


def test_a_second_derivative_names_the_node_that_induced_it(anomaly: None) -> None:
    x = leaf(1)
    (g,) = taeda.autograd.grad((x**3).sum(), x, create_graph=True)
    assert g.grad_fn.metadata["parent_"].name() == "PowBackward0"
    z = (g - g).sqrt()
    with pytest.warns(UserWarning, match="Error detected in SqrtBackward0"), pytest.raises(RuntimeError, match="nan"):
        (z * 0).sum().backward()


def test_a_changed_tensor_names_the_line_that_changed_it(anomaly: None) -> None:
    x = leaf(1, 2)
    y = x.exp()
    y.add_(1)  # the line that changes it
    with pytest.warns(UserWarning, match="Error detected in ExpBackward0"):
        with pytest.raises(RuntimeError, match=r"\[ExpBackward0\].*shape \(2,\), which is output 0 of ExpBackward0, is at version 1; expected version 0"
                           r".*changed by add_ at .*the line that changes it"):
            y.sum().backward()


def test_without_the_mode_the_error_says_how_to_find_the_line() -> None:
    y = leaf(1).exp()
    y.mul_(2)
    with pytest.raises(RuntimeError, match="set_detect_anomaly"):
        y.backward()


def test_the_modes_nest_and_warn() -> None:
    with pytest.warns(UserWarning, match="Anomaly Detection has been enabled"):
        with taeda.autograd.detect_anomaly():
            assert taeda.is_anomaly_enabled()
            with taeda.autograd.set_detect_anomaly(False):
                assert not taeda.is_anomaly_enabled()
            assert taeda.is_anomaly_enabled()
    assert not taeda.is_anomaly_enabled() and "traceback_" not in (leaf(1) * 2).grad_fn.metadata


def test_where_warnings_are_errors_the_error_itself_is_raised(capsys: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with taeda.autograd.detect_anomaly():
            warnings.simplefilter("error")
            x = taeda.ones(2, requires_grad=True)
            y = x + 1
            z = y**2
            y += 1
            with pytest.raises(RuntimeError, match="modified by an inplace operation"):
                z.sum().backward()
    assert "Error detected in PowBackward0" in capsys.readouterr().err
