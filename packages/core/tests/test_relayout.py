"""In-place changes of layout: sizes, strides, versions, history, and views that follow."""

import pytest

import taeda


def test_layouts_and_versions() -> None:
    x = taeda.arange(6).reshape(2, 3)
    data, version = x.data_ptr(), x._version
    assert x.t_() is x and x.shape == (3, 2) and x.stride() == (1, 3) and x.tolist() == [[0, 3], [1, 4], [2, 5]]
    assert x.data_ptr() == data and x._version == version + 1
    assert x.unsqueeze_(-1).shape == (3, 2, 1) and x.transpose_(0, 2).shape == (1, 2, 3) and x.squeeze_().shape == (2, 3)
    assert x.swapaxes_(0, 1).shape == (3, 2) and x.swapdims_(-1, 0).shape == (2, 3) and x.is_contiguous()
    assert x.unsqueeze_(0).squeeze_(1).shape == (1, 2, 3) and x.squeeze_((0, 1)).shape == (2, 3)
    y = taeda.ones(1, 1, 1, 1, 1, 1, 2)
    assert y.squeeze_().shape == (2,) and y.sum() == 2


def test_history() -> None:
    x = taeda.arange(6.0).reshape(2, 3).requires_grad_()
    y = x * 1
    z = y.t_()
    assert z is y and y.shape == (3, 2)
    w = taeda.arange(6.0).reshape(3, 2)
    (y * y * w).sum().backward()
    assert x.grad.equal(2 * x.detach() * w.t())
    x.grad = None
    y = x * 2
    y.unsqueeze_(0).mul_(3).squeeze_(0)
    y.sum().backward()
    assert x.grad.equal(taeda.full((2, 3), 6.0))


def test_views_keep_their_base() -> None:
    x = taeda.ones(2, 3, requires_grad=True)
    base = x * 1
    view = base[:, 1:]
    view.t_()
    view.mul_(taeda.tensor([[2.0, 3.0], [4.0, 5.0]]))
    base.sum().backward()
    assert base.tolist() == [[1, 2, 4], [1, 3, 5]] and x.grad.tolist() == [[1, 2, 4], [1, 3, 5]]
    x.grad = None
    base = x * 1
    view = base[0]
    view.unsqueeze_(1)
    base.mul_(5)
    (view * view).sum().backward()
    assert view.shape == (3, 1) and x.grad.tolist() == [[50, 50, 50], [0, 0, 0]]


def test_errors() -> None:
    leaf = taeda.ones(2, 3, requires_grad=True)
    for change in (leaf.t_, leaf.squeeze_, lambda: leaf.unsqueeze_(0), lambda: leaf.transpose_(0, 1), leaf[0].squeeze_):
        with pytest.raises(RuntimeError, match="leaf Variable"):
            change()
    with taeda.no_grad():
        assert leaf.t_().shape == (3, 2) and leaf.is_leaf and leaf.requires_grad
    x = taeda.ones(2, 3, 4)
    with pytest.raises(RuntimeError):
        x.t_()
    with pytest.raises(IndexError):
        x.unsqueeze_(5)
    with pytest.raises(IndexError):
        x.transpose_(0, 3)
    assert x.shape == (2, 3, 4)


def test_a_resize_counts_as_a_write_where_it_changes_something() -> None:
    x, like = taeda.zeros(1), taeda.zeros(3)
    versions = [x._version]
    for resize in (lambda: x.resize_((1, 2)), lambda: x.resize_as_(like), lambda: x.resize_((3,)), lambda: x.resize_as_(like)):
        resize()
        versions.append(x._version)
    assert versions == [0, 1, 2, 2, 2]


def test_a_tensor_of_inference_mode_keeps_its_layout_outside_of_it() -> None:
    with taeda.inference_mode():
        x = taeda.ones(2, 3)
    for write in (lambda: x.transpose_(0, 1), lambda: x.unsqueeze_(0), x.t_):
        with pytest.raises(RuntimeError, match="Inplace update to inference tensor"):
            write()
    with taeda.inference_mode():
        assert x.shape == (2, 3) and x.t_().shape == (3, 2)
