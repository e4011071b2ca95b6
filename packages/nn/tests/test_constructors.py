"""Errors of constructors name the layer that was called."""

import inspect

import pytest

import taeda
from taeda import nn


@pytest.mark.parametrize(
    ("name", "args"),
    [("Conv2d", (3, 8)), ("Conv1d", (3,)), ("ConvTranspose2d", (3, 8)), ("BatchNorm2d", ()), ("ReflectionPad2d", ()), ("AvgPool2d", ()),
     ("Softmax", (1, 2, 3)), ("ReLU", (1, 2)), ("LazyConv2d", ()), ("Linear", ()), ("LSTM", ())],
)  # fmt: skip
def test_error_names_the_layer(name, args):
    with pytest.raises(TypeError) as caught:
        getattr(nn, name)(*args)
    assert str(caught.value).startswith((f"{name}.__init__()", "RNNBase.__init__()"))


def test_signature_and_bases_stay():
    assert list(inspect.signature(nn.Conv2d).parameters)[:3] == ["in_channels", "out_channels", "kernel_size"]

    class Mine(nn.Conv2d):
        def __init__(self, n):
            super().__init__(n, n, 1, bias=False)

    assert Mine(2)(taeda.ones(1, 2, 3, 3)).shape == (1, 2, 3, 3)
    assert nn.Conv2d(1, 1, 1).bias is not None
