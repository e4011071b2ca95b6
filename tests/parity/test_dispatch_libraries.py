"""Subclasses with a ``__torch_dispatch__`` as libraries of the field write them, beside PyTorch: quantised weights, pairs, logs, masks."""

import copy
import importlib
import io
import pickle

import pytest
import torch

import taeda
from dispatch_room import LOG, close, forward, ints, outcome


def tree_of(t):
    return importlib.import_module(f"{t.__name__}.utils._pytree")


def modes_of(t):
    return importlib.import_module(f"{t.__name__}.utils._python_dispatch")


def wrapper(t, name, handler=None, **members):
    """A class that holds one tensor; ``handler(cls, func, args, kwargs)`` or what goes through."""
    tree = tree_of(t)

    def new(cls, elem, requires_grad=False):
        return t.Tensor._make_wrapper_subclass(
            cls, elem.size(), strides=elem.stride(), dtype=elem.dtype, device=elem.device, requires_grad=requires_grad
        )

    def init(self, elem, requires_grad=False):
        self.elem = elem

    def through(cls, func, args, kwargs):
        found = func(*tree.tree_map_only(cls, lambda x: x.elem, args), **tree.tree_map_only(cls, lambda x: x.elem, kwargs))
        return tree.tree_map_only(t.Tensor, cls, found)

    def dispatch(cls, func, types, args=(), kwargs=None):
        return (handler or through)(cls, func, args, kwargs or {})

    body = {"__new__": staticmethod(new), "__init__": init, "__torch_dispatch__": classmethod(dispatch), "through": classmethod(through)}
    return type(name, (t.Tensor,), {**body, **members})


def shows_each_operator(t, r):
    """Prints as the operators come, and hands the layers of a small network on."""
    t.manual_seed(0)
    net = t.nn.Sequential(t.nn.Linear(4, 4), t.nn.LayerNorm(4), t.nn.GELU(), t.nn.Linear(4, 2))
    with t.no_grad():
        for p in net.parameters():
            p.copy_(ints(t, *p.shape) * 0.1)
        return net(r.Logging(ints(t, 3, 4))).elem


def layers_of_signals(t, r):
    F, x = t.nn.functional, r.Logging(ints(t, 2, 4, 6), requires_grad=True)
    found = [
        F.group_norm(x, 2), F.rms_norm(x, (6,)), F.max_pool1d(x, 2), F.avg_pool1d(x, 3, 2, 1), F.interpolate(x, scale_factor=2),
        F.adaptive_avg_pool1d(x, 2), F.interpolate(x, size=4, mode="linear"),
    ]  # fmt: skip
    sum((y * y).sum() for y in found).backward()
    return [y.elem for y in found], x.grad.elem


def layers_of_images(t, r):
    F, x = t.nn.functional, r.Logging(ints(t, 1, 2, 4, 4), requires_grad=True)
    found = [
        F.adaptive_avg_pool2d(x, 1), F.adaptive_avg_pool2d(x, (2, 4)), F.avg_pool2d(x, 2), F.interpolate(x, scale_factor=1.5, mode="bilinear"),
        F.interpolate(x, size=3, mode="bicubic"), F.interpolate(x, size=(2, 8)), F.pad(x, (1, 1)),
    ]  # fmt: skip
    sum((y * y).sum() for y in found).backward()
    return [y.elem for y in found], x.grad.elem


def other_losses(t, r):
    F, x, y = t.nn.functional, r.Logging(ints(t, 3, 4), requires_grad=True), ints(t, 3, 4).abs() + 1
    loss = F.l1_loss(x, y) + F.kl_div(x, y, reduction="batchmean") + F.smooth_l1_loss(x, y) + F.huber_loss(x, y)
    (loss + F.binary_cross_entropy_with_logits(x, (y > 1.5).float())).backward()
    return loss.item(), x.grad.elem


def split_and_sewn(t, r):
    x = r.Logging(ints(t, 3, 4), requires_grad=True)
    found = *t.tensor_split(x, 2), *x.hsplit(2), t.atleast_3d(x), *t.tensor_split(x, [1, 3], 1)
    sum((y * y).sum() for y in found).backward()
    return [y.elem for y in found], x.grad.elem


def products_by_letters(t, r):
    x = r.Logging(ints(t, 3, 4), requires_grad=True)
    y = t.einsum("ij,kj->ik", x, x)
    y.sum().backward()
    LOG.clear()
    return y.elem, x.grad.elem


def pair_of_tensors(t, r):
    x = r.Two(ints(t, 3, 4), -ints(t, 3, 4))
    y = t.nn.functional.softmax(x @ x.t(), -1).sum(0)
    parts, context = x.__tensor_flatten__()
    z = r.Two.__tensor_unflatten__({name: getattr(x, name) for name in parts}, context, x.size(), x.stride())
    return y.a, y.b, parts, z.a


def pair_trained(t, r):
    w = t.nn.Parameter(r.Two(ints(t, 2, 3), ints(t, 2, 3) * 2))
    optimizer = t.optim.Adam([w], lr=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        t.nn.functional.mse_loss(t.nn.functional.linear(ints(t, 4, 3), w), t.zeros(4, 2)).backward()
        optimizer.step()
    return type(w.data).__name__, isinstance(w, t.nn.Parameter), w.a, w.b


def quantised_network(t, r):
    t.manual_seed(0)
    net = t.nn.Sequential(t.nn.Linear(4, 3), t.nn.ReLU(), t.nn.Linear(3, 2, bias=False))
    with t.no_grad():
        for p in net.parameters():
            p.copy_(ints(t, *p.shape) + 0.3)
    for layer in net:
        if isinstance(layer, t.nn.Linear):
            layer.weight = t.nn.Parameter(r.Int8Weight.of(layer.weight.detach()), requires_grad=False)
    with t.no_grad():
        y = net(ints(t, 5, 4))
    return y, [type(p).__name__ for p in net.parameters()], net[0].weight.requires_grad


def quantised_by_functions(t, r):
    """A weight that takes over ``linear`` itself, above the operators."""
    F, aten = t.nn.functional, t.ops.aten

    def function(cls, func, types, args=(), kwargs=None):
        if func is F.linear:
            LOG.append("linear")
            x, w, bias = (*args, None)[:3]
            return F.linear(x, w.elem * 2, bias)
        with t._C.DisableTorchFunctionSubclass():
            return func(*args, **(kwargs or {}))

    def handler(cls, func, args, kwargs):
        LOG.append(str(func))
        if func in (aten.detach.default, aten.clone.default):
            return cls(func(args[0].elem, **kwargs))
        raise NotImplementedError(f"{func}")

    Weight = wrapper(t, "Weight", handler, __torch_function__=classmethod(function))
    layer = t.nn.Linear(4, 3)
    with t.no_grad():
        layer.bias.copy_(ints(t, 3))
    layer.weight = t.nn.Parameter(Weight(ints(t, 3, 4)), requires_grad=False)
    return layer(ints(t, 2, 4)), copy.deepcopy(layer)(ints(t, 2, 4))


def corrected_aliases(t, r):
    modes, tree = modes_of(t), tree_of(t)

    def handler(cls, func, args, kwargs):
        found = func(*tree.tree_map_only(cls, lambda x: x.elem, args), **tree.tree_map_only(cls, lambda x: x.elem, kwargs))
        return modes.return_and_correct_aliasing(func, args, kwargs, tree.tree_map_only(t.Tensor, cls, found))

    Alias = wrapper(t, "Alias", handler)
    x = Alias(ints(t, 3, 4))
    y = x.view(4, 3)
    z = y.mul_(2)
    out = Alias(t.zeros(3, 4))
    w = t.add(x, x, out=out)
    return z is y, w is out, x.elem, out.elem


def refused_one_by_one(t, r):
    aten = t.ops.aten

    def handler(cls, func, args, kwargs):
        return cls.through(func, args, kwargs) if func in (aten.add.Tensor, aten.detach.default) else NotImplemented

    Some = wrapper(t, "Some", handler)
    x = Some(ints(t, 3))
    kinds = []
    for call in (lambda: x + x, lambda: x * x, lambda: t.cat([x, x]), lambda: x.sum()):
        try:
            kinds.append(type(call()).__name__)
        except Exception as error:
            kinds.append(type(error).__name__)
    return kinds


def class_above_class(t, r):
    """The more derived class is asked first."""
    Below = wrapper(t, "Below")

    def handler(cls, func, types, args=(), kwargs=None):
        LOG.append(f"{func} {sorted(x.__name__ for x in types)}")
        return Below.__torch_dispatch__.__func__(Below, func, types, args, kwargs)

    Above = type("Above", (Below,), {"__torch_dispatch__": classmethod(handler)})
    y = Below(ints(t, 3)) + Above(ints(t, 3))
    return type(y).__name__, y.elem if type(y.elem) is t.Tensor else y.elem.elem


def wrapped_twice(t, r):
    x = r.Logging(r.Logging(ints(t, 3)))
    y = (x * 2).sum()
    return type(y.elem).__name__, y.elem.elem


def modes_see_inside(t, r):
    x, names = r.Logging(ints(t, 2, 3), requires_grad=True), []

    class Mode(modes_of(t).TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            names.append(f"{str(func)} {[cls.__name__ for cls in types]}")
            return func(*args, **(kwargs or {}))

    with Mode():
        y = (x @ ints(t, 3, 2)).relu()
    y.sum().backward()
    return [name for name in names if "detach" not in name][:2], x.grad.elem


def saved_and_read(t, r):
    layer = t.nn.Linear(3, 2, bias=False)
    layer.weight = t.nn.Parameter(r.Two(ints(t, 2, 3), ints(t, 2, 3) * 2))
    state = layer.state_dict()
    other = t.nn.Linear(3, 2, bias=False)
    other.weight = t.nn.Parameter(r.Two(t.zeros(2, 3), t.zeros(2, 3)))
    other.load_state_dict(state)
    third = t.nn.Linear(3, 2, bias=False)
    third.load_state_dict(state, assign=True)
    return type(state["weight"]).__name__, other.weight.a, other.weight.b, type(third.weight.data).__name__, third.weight.b


def pickled(t, r):
    kind = type("Pickled", (wrapper(t, "Base"),), {"__module__": __name__})
    globals()["Pickled"] = kind
    x = kind(ints(t, 3), requires_grad=True)
    x.note = {"a": 1}
    y = pickle.loads(pickle.dumps(x))
    file = io.BytesIO()
    t.save({"x": x}, file)
    file.seek(0)
    z = t.load(file, weights_only=False)["x"]
    return type(y).__name__, y.elem, y.note, y.requires_grad, type(z).__name__, z.elem, z.shape == (3,)


def parameters(t, r):
    p = t.nn.Parameter(r.Logging(ints(t, 3)))
    q = copy.deepcopy(p)
    r_ = t.nn.Parameter(r.Logging(ints(t, 3)), requires_grad=False)
    return type(p).__name__, isinstance(p, t.nn.Parameter), p.is_leaf, p.requires_grad, type(q).__name__, isinstance(q, t.nn.Parameter), \
        q.elem is p.elem, r_.requires_grad, isinstance(r.Logging(ints(t, 3)), t.nn.Parameter)


def frozen_below_trained(t, r):
    """Adapters of low rank on a quantised weight."""
    base = t.nn.Parameter(r.Int8Weight.of(ints(t, 3, 4) + 1), requires_grad=False)
    a, b = t.nn.Parameter(ints(t, 2, 4) * 0.1), t.nn.Parameter(ints(t, 3, 2) * 0.1)
    optimizer = t.optim.SGD([a, b], lr=0.01)
    x = ints(t, 5, 4)
    for _ in range(2):
        optimizer.zero_grad()
        (t.nn.functional.linear(x, base) + x @ a.t() @ b.t()).pow(2).mean().backward()
        optimizer.step()
    return a.detach(), b.detach()


def masked(t, r):
    """Values and which of them count: sums over those alone."""
    aten = t.ops.aten

    def handler(cls, func, args, kwargs):
        if func in (aten.sum.default, aten.mean.default):
            x = args[0]
            kept = t.where(x.mask, x.elem, 0.0).sum()
            return kept if func is aten.sum.default else kept / x.mask.sum()
        found = func(*[x.elem if isinstance(x, cls) else x for x in args], **kwargs)
        made = cls(found)
        made.mask = next(x.mask for x in args if isinstance(x, cls))
        return made

    Masked = wrapper(t, "Masked", handler)
    x = Masked(ints(t, 3, 4))
    x.mask = x.elem > 0
    y = (x * 2 + 1).exp()
    return y.sum().item(), y.mean().item(), y.mask.sum().item()


def on_the_meta_device(t, r):
    """Only sizes, told to be on a device."""
    Sized = wrapper(t, "Sized")
    x = Sized(t.empty(2, 3, device="meta"))
    y = t.nn.functional.linear(x, Sized(t.empty(4, 3, device="meta"))).relu()
    return y.shape == (2, 4), y.is_meta, y.elem.is_meta, t.stack([x, x]).shape == (2, 2, 3)


def counts_in_a_scheduler(t, r):
    w = t.nn.Parameter(r.Logging(ints(t, 4)))
    optimizer = t.optim.RMSprop([w], lr=0.1)
    schedule = t.optim.lr_scheduler.StepLR(optimizer, 1)
    for _ in range(2):
        (w * w).sum().backward()
        t.nn.utils.clip_grad_norm_([w], 1.0)
        optimizer.step()
        optimizer.zero_grad()
        schedule.step()
    LOG.clear()
    return w.elem


def hooks_of_modules(t, r):
    layer, seen = t.nn.Linear(3, 3, bias=False), []
    layer.register_forward_hook(lambda m, args, y: seen.append((type(args[0]).__name__, type(y).__name__)))
    layer.register_full_backward_hook(lambda m, gi, go: seen.append((type(gi[0]).__name__, type(go[0]).__name__)))
    x = r.Logging(ints(t, 2, 3), requires_grad=True)
    layer(x).sum().backward()
    LOG.clear()
    return seen


def under_autocast(t, r):
    x = r.Logging(ints(t, 2, 3))
    with t.autocast("cpu", dtype=t.bfloat16):
        y = x @ t.ones(3, 2)
    LOG.clear()
    return type(y).__name__, y.dtype == t.bfloat16


PROGRAMS = {f.__name__: f for f in (
    shows_each_operator, layers_of_signals, layers_of_images, other_losses, split_and_sewn, products_by_letters, pair_of_tensors, pair_trained,
    quantised_network, quantised_by_functions, corrected_aliases, refused_one_by_one, class_above_class, wrapped_twice, modes_see_inside,
    saved_and_read, pickled, parameters, frozen_below_trained, masked, on_the_meta_device, counts_in_a_scheduler, hooks_of_modules,
    under_autocast,
)}  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", PROGRAMS)
def test_programs(name):
    expected, theirs = outcome(torch, PROGRAMS[name])
    found, mine = outcome(taeda, PROGRAMS[name])
    assert close(found, expected), (found, expected)
    assert forward(mine) == forward(theirs)
