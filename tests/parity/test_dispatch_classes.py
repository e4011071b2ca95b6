"""Classes with a ``__torch_dispatch__`` beside PyTorch's: the operators that they are told of, and what comes out."""

import copy
import functools
import importlib

import pytest
import torch

import taeda
from dispatch_room import LOG, close, forward, ints, outcome

# -- programs: each returns what is to be the same ---------------------------------------------------------------


def linear_layer(t, r):
    layer, x = t.nn.Linear(3, 2), r.Logging(ints(t, 4, 3), requires_grad=True)
    with t.no_grad():
        layer.weight.copy_(ints(t, 2, 3))
        layer.bias.zero_()
    y = layer(x)
    LOG.append("backward")
    y.pow(2).sum().backward()
    return y.elem, x.grad.elem, type(layer.weight.grad).__name__, layer.weight.grad.elem, layer.bias.grad.elem


def arithmetic(t, r):
    x = r.Logging(ints(t, 2, 3), requires_grad=True)
    y = (x * 2 + x).exp().sum()
    kept = (y.requires_grad, y.grad_fn.name(), x.is_leaf, y.is_leaf, type(y).__name__, x.shape == (2, 3), x.stride())
    y.backward()
    return y.item(), x.grad.elem, type(x.grad).__name__, kept


def twice_added(t, r):
    x = r.Logging(ints(t, 3), requires_grad=True)
    (x * x).sum().backward()
    (x * 3).sum().backward()
    return x.grad.elem


def second_derivative(t, r):
    x = r.Logging(ints(t, 3) + 1, requires_grad=True)
    (g,) = t.autograd.grad(x.pow(3).sum(), x, create_graph=True)
    (h,) = t.autograd.grad((g * x).sum(), x)
    return g.elem.detach(), h.elem


def of_plain_and_class(t, r):
    x, w = ints(t, 3).requires_grad_(), r.Logging(ints(t, 3) + 2)
    (x * w).sum().backward()
    return type(x.grad).__name__, x.grad.elem


def views(t, r):
    x = r.Logging(ints(t, 2, 3, 4), requires_grad=True)
    found = x[0], x[:, 1], x.view(6, 4), x.reshape(3, 8), x.transpose(0, 1), x.permute(2, 0, 1), x.unsqueeze(0), x.flatten(), x.expand(2, 3, 4)
    sum(y.sum() for y in found).backward()
    return [y.elem for y in found], x.grad.elem


def shapes_of_views(t, r):
    x = r.Logging(ints(t, 2, 3))
    return [(y.shape, y.stride()) for y in (x.t(), x.T, x.mT, x[1], x[..., 0], x.unbind()[0], *x.split(1), *x.chunk(3, 1), x.squeeze())]


def joined(t, r):
    x, y = r.Logging(ints(t, 2, 3), requires_grad=True), r.Logging(ints(t, 2, 3) * 2)
    z = t.cat([x, y]).sum() + (t.stack([x, y, x], 1) ** 2).sum()
    z.backward()
    return z.item(), x.grad.elem


def reductions(t, r):
    x = r.Logging(ints(t, 3, 4), requires_grad=True)
    found = x.sum(), x.sum(0), x.mean(), x.mean(1, keepdim=True), x.amax(1), x.norm(), x.logsumexp(0), x.prod(), x.cumsum(0), x.var(1), x.std()
    sum(y.sum() for y in found).backward()
    return [y.elem for y in found], x.grad.elem


def pointwise(t, r):
    x = r.Logging(ints(t, 3, 4) * 0.1 + 1.5, requires_grad=True)
    names = "exp log sin cos tanh sigmoid sqrt rsqrt abs neg reciprocal square relu erf expm1 log1p"
    found = [getattr(x, name)() for name in names.split()] + [x.clamp(0, 1), x / 3, 3 / x, x - 1, 1 - x, x**2, 2**x, x.clone(), +x, -x]
    sum(y.sum() for y in found).backward()
    return [y.elem for y in found], x.grad.elem


def activations(t, r):
    F = t.nn.functional
    x = r.Logging(ints(t, 3, 4), requires_grad=True)
    found = [F.gelu(x), F.silu(x), F.softmax(x, -1), F.log_softmax(x, 0), F.leaky_relu(x), F.elu(x), F.softplus(x), F.relu(x)]
    sum((y * y).sum() for y in found).backward()
    return [y.elem for y in found], x.grad.elem


def broadcasting(t, r):
    x, b = r.Logging(ints(t, 3, 4), requires_grad=True), r.Logging(ints(t, 4), requires_grad=True)
    (x * b + b).sum().backward()
    return x.grad.elem, b.grad.elem


def comparisons(t, r):
    x = r.Logging(ints(t, 3, 4), requires_grad=True)
    y = t.where(x > 0, x, x * 2) + x.masked_fill(x < -0.2, 0.0)
    y.sum().backward()
    return y.elem, (x == x).elem, x.grad.elem, t.maximum(x, x * 0).elem


def written(t, r):
    x = r.Logging(ints(t, 3))
    y = x.add_(1).mul_(2)
    x.zero_().fill_(7)
    x += 1
    x.copy_(ints(t, 3))
    return y is x, x.elem, x._version > 0


def written_with_history(t, r):
    x = r.Logging(ints(t, 3), requires_grad=True)
    y = x * 2
    z = y.add_(x)
    y.mul_(3)
    y.sum().backward()
    return z is y, x.grad.elem, y.grad_fn.name()


def leaf_written(t, r):
    r.Logging(ints(t, 3), requires_grad=True).add_(1)


def saved_then_written(t, r):
    x = r.Logging(ints(t, 3), requires_grad=True)
    y = x * 1
    z = y * y
    y.add_(1)
    z.sum().backward()


def products(t, r):
    a, b = r.Logging(ints(t, 3, 4), requires_grad=True), r.Logging(ints(t, 4, 2), requires_grad=True)
    v = r.Logging(ints(t, 4), requires_grad=True)
    c = r.Logging(ints(t, 2, 3, 4), requires_grad=True)
    found = a @ b, t.addmm(r.Logging(ints(t, 2)), a, b), t.bmm(c, c.transpose(1, 2)), c @ b, a.mm(b)
    sum((y * y).sum() for y in found).backward()
    return [y.elem for y in found], a.grad.elem, b.grad.elem, c.grad.elem, v.dot(v).item() if False else 0


def cnn(t, r):
    t.manual_seed(0)
    net = t.nn.Sequential(t.nn.Conv2d(1, 2, 3), t.nn.ReLU(), t.nn.MaxPool2d(2), t.nn.Flatten(), t.nn.Linear(8, 3))
    with t.no_grad():
        for p in net.parameters():
            p.copy_(ints(t, *p.shape) * 0.1)
    x = r.Logging(ints(t, 2, 1, 6, 6), requires_grad=True)
    loss = t.nn.functional.cross_entropy(net(x), t.tensor([0, 2]))
    loss.backward()
    return loss.item(), x.grad.elem, [p.grad.elem for p in net.parameters()]


def layer_norm(t, r):
    norm, x = t.nn.LayerNorm(4), r.Logging(ints(t, 3, 4), requires_grad=True)
    norm(x).pow(2).sum().backward()
    return x.grad.elem, norm.weight.grad.elem


def losses(t, r):
    F = t.nn.functional
    x, target = r.Logging(ints(t, 3, 4), requires_grad=True), ints(t, 3, 4) * 0.5
    loss = F.mse_loss(x, target) + F.cross_entropy(x, t.tensor([0, 1, 3])) + F.nll_loss(F.log_softmax(x, 1), t.tensor([0, 1, 3]))
    loss.backward()
    return loss.item(), x.grad.elem


def embedded(t, r):
    w = r.Logging(ints(t, 5, 3), requires_grad=True)
    y = t.nn.functional.embedding(t.tensor([1, 1, 4]), w)
    y.sum().backward()
    return y.elem, w.grad.elem


def with_function(t, r):
    x = r.Plain(ints(t, 3), requires_grad=True)
    y = x.exp() + 1
    y.sum().backward()
    return type(y).__name__, type(x.grad).__name__, x.grad.elem


def factories(t, r):
    x = r.Logging(ints(t, 3))
    return [y.elem if hasattr(y, "elem") else type(y).__name__ for y in
            (t.zeros_like(x), t.ones_like(x), x.new_zeros(2), x.new_ones(2, 2), x.new_full((2,), 3.0), x.new_tensor([1.0]))]


def numbers(t, r):
    x = r.Logging(t.tensor([3.0]))
    return x.item(), float(x), int(x), bool(x > 1), len(x), [y.item() for y in x], f"{x}", x.data_ptr(), x.numel(), x.dim(), x.is_cpu, str(x.device)


def no_numpy(t, r):
    r.Logging(ints(t, 3)).numpy()


def no_list(t, r):
    r.Logging(ints(t, 3)).tolist()


def copies(t, r):
    x = r.Logging(ints(t, 3), requires_grad=True)
    x.note = "kept"
    y, z = copy.deepcopy(x), copy.copy(x)
    return y.elem, y.requires_grad, y.note, z.elem is x.elem, z.requires_grad, type(y).__name__, type(z).__name__


def places(t, r):
    x = r.Logging(ints(t, 3))
    return x.to("cpu") is x, x.to(t.float32) is x, x.double().elem.dtype == t.float64, x.cpu() is x, x.contiguous() is x, x.half().dtype == t.float16


def under_no_grad(t, r):
    x = r.Logging(ints(t, 3), requires_grad=True)
    with t.no_grad():
        y = x * 2
    return y.requires_grad, x.detach().requires_grad, x.data.requires_grad


def hooks(t, r):
    x, seen = r.Logging(ints(t, 3), requires_grad=True), []
    y = x * 2
    y.register_hook(lambda g: seen.append(type(g).__name__))
    x.register_hook(lambda g: g * 10)
    y.sum().backward()
    return seen, x.grad.elem


def retained(t, r):
    x = r.Logging(ints(t, 3), requires_grad=True)
    y = x * 2
    y.retain_grad()
    (y * y).sum().backward()
    return y.grad.elem


def given_gradient(t, r):
    x = r.Logging(ints(t, 3), requires_grad=True)
    (x * x).backward(r.Logging(ints(t, 3) + 1))
    plain = ints(t, 3).requires_grad_()
    (plain * plain).backward(r.Logging(ints(t, 3) + 1))
    return x.grad.elem, type(plain.grad).__name__, plain.grad.elem


def of_a_function(t, r):
    class Double(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            LOG.append(f"backward {type(x).__name__} {type(g).__name__}")
            return 2 * x * g

    x = r.Logging(ints(t, 3), requires_grad=True)
    y = Double.apply(x)
    y.sum().backward()
    return type(y).__name__, x.grad.elem


def slots(t, r):
    x = r.Slotted(ints(t, 3), requires_grad=True)
    x.other = 5
    y = x.exp()
    (y * y).sum().backward()
    return x.grad.elem, copy.copy(x).other


def on_memory(t, r):
    x = r.Held(ints(t, 3))
    y = x * 2 + 1
    return type(y).__name__, y.sum().item()


def handed_on(t, r):
    x = ints(t, 3).as_subclass(r.Passes)
    y = x + 1
    return type(y).__name__, y.sum().item()


def two(t, r):
    x = r.Two(ints(t, 2, 3), ints(t, 2, 3) * 2).requires_grad_()
    y = (x @ x.t()).relu().sum()
    y.backward()
    return y.a, y.b, x.grad.a, x.grad.b, repr(x.detach())


def two_opened(t, r):
    modes = importlib.import_module(f"{t.__name__}.utils._python_dispatch")
    x = r.Two(ints(t, 2), ints(t, 2) * 2)
    y = modes.transform_subclass(x, lambda name, inner: inner + 1)
    z = x.add_(1)
    return modes.is_traceable_wrapper_subclass(x), modes.is_traceable_wrapper_subclass(x.a), y.a, y.b, z is x, x.a


def two_in_a_layer(t, r):
    layer = t.nn.Linear(3, 2, bias=False)
    layer.weight = t.nn.Parameter(r.Two(ints(t, 2, 3), ints(t, 2, 3) * 2))
    optimizer = t.optim.SGD(layer.parameters(), lr=0.1)
    layer(ints(t, 4, 3)).sum().backward()
    kept = layer.weight
    optimizer.step()
    layer.double()
    w = layer.weight
    return type(w).__name__, w is kept, w.a, w.b.dtype == t.float64, w.grad is None or type(w.grad).__name__


def quantised(t, r):
    layer = t.nn.Linear(4, 3)
    with t.no_grad():
        layer.weight.copy_(ints(t, 3, 4))
        layer.bias.copy_(ints(t, 3))
    layer.weight = t.nn.Parameter(r.Int8Weight.of(layer.weight.detach()), requires_grad=False)
    x = ints(t, 2, 4).requires_grad_()
    y = layer(x)
    y.sum().backward()
    return type(layer.weight).__name__, isinstance(layer.weight, t.nn.Parameter), y, x.grad, [n for n, _ in layer.named_parameters()]


def quantised_copied(t, r):
    layer = t.nn.Linear(4, 3, bias=False)
    layer.weight = t.nn.Parameter(r.Int8Weight.of(ints(t, 3, 4) + 1), requires_grad=False)
    twin = copy.deepcopy(layer)
    state = layer.state_dict()
    other = t.nn.Linear(4, 3, bias=False)
    other.weight = t.nn.Parameter(r.Int8Weight.of(ints(t, 3, 4) * 3 + 9), requires_grad=False)
    other.load_state_dict(state)
    moved = layer.weight.to(t.float64)
    x = ints(t, 2, 4)
    return type(twin.weight).__name__, twin(x), type(state["weight"]).__name__, other(x), type(moved).__name__, moved.dtype == t.float64


def quantised_refuses(t, r):
    r.Int8Weight.of(ints(t, 3, 4) + 1).exp()


def momentum(t, r):
    layer = t.nn.Linear(3, 2, bias=False)
    layer.weight = t.nn.Parameter(r.Logging(ints(t, 2, 3)))
    optimizer = t.optim.SGD(layer.parameters(), lr=0.1, momentum=0.9)
    for _ in range(3):
        optimizer.zero_grad()
        layer(ints(t, 4, 3)).pow(2).sum().backward()
        optimizer.step()
    LOG.clear()
    return type(layer.weight).__name__, layer.weight.elem


def adam(t, r):
    w = t.nn.Parameter(r.Logging(ints(t, 2, 3)))
    optimizer = t.optim.AdamW([w], lr=0.1)
    for _ in range(2):
        optimizer.zero_grad()
        (w * w).sum().backward()
        optimizer.step()
    LOG.clear()
    return w.elem


def lazily(t, r):
    x = r.Lazy(ints(t, 2, 3), lambda: ints(t, 2, 3))
    y = (x.exp() * 2) @ t.ones(3, 2)
    before = list(LOG)
    return before, y.shape == (2, 2), y.now()


def sizes_only(t, r):
    x = r.Shapes(t.empty(2, 3, device="meta"))
    net = t.nn.Sequential(t.nn.Linear(3, 4), t.nn.GELU(), t.nn.Linear(4, 5))
    with t.no_grad():
        y = net(x)
    return y.shape == (2, 5), str(y.device), t.cat([x, x], 1).shape == (2, 6), x.sum(0).shape == (3,), (x > 0).dtype == t.bool


def nobody_answers(t, r):
    t.nn.functional.relu(r.Refuses(ints(t, 3)))


def not_implemented_once(t, r):
    y = t.add(r.Refuses(ints(t, 3)), r.Logging(ints(t, 3)))
    return type(y).__name__


def mode_above(t, r):
    x = r.Logging(ints(t, 3))
    with r.Mode():
        y = x.exp() * 2
    return y.elem


def two_modes(t, r):
    with r.Mode(), r.Mode():
        return r.Logging(ints(t, 3)).neg().elem


def must_define(t, r):
    t.Tensor._make_wrapper_subclass(type("Bare", (t.Tensor,), {}), (2,))


def not_a_class(t, r):
    t.Tensor._make_wrapper_subclass(int, (2,))


def lengths_differ(t, r):
    t.Tensor._make_wrapper_subclass(r.Logging, (2, 3), strides=(1,))


def wrapped(t, r):
    x = t.Tensor._make_wrapper_subclass(r.Logging, (2, 3), strides=(1, 2), dtype=t.float64, requires_grad=True, storage_offset=4)
    y = t.Tensor._make_wrapper_subclass(r.Logging, (2,), dtype=t.int64, device="meta")
    return x.shape, x.stride(), x.requires_grad, x.storage_offset(), x.is_contiguous(), x.itemsize, y.is_meta, y.dtype == t.int64, y.requires_grad


def sequences(t, r):
    x = r.Logging(ints(t, 4), requires_grad=True)
    a, b = x.split(2)
    c, d = x.view(2, 2).unbind()
    (a * b).sum().add((c * d).sum()).backward()
    return x.grad.elem


def values_and_indices(t, r):
    x = r.Logging(ints(t, 3, 4), requires_grad=True)
    top, sort = x.topk(2), x.sort(descending=True)
    (x.max(1).values.sum() + top.values.sum() + sort[0][0].sum()).backward()
    return x.argmax(1).elem, top.indices.elem, sort.indices.elem, x.grad.elem


def chosen(t, r):
    x, ix = r.Logging(ints(t, 3, 4), requires_grad=True), t.tensor([0, 2])
    (x[ix].sum() + x.index_select(1, ix).sum() + x.gather(1, t.tensor([[0], [1], [3]])).sum()).backward()
    return x.grad.elem


def custom_operators(t, r):
    x = r.Logging(ints(t, 3))
    return t.ops.aten.add.Tensor(x, 1).elem, t.ops.aten.mul.Tensor(x, x).elem


@functools.cache
def own(t):
    """An operator whose kernel a wrapper could not run, in both frameworks."""
    def cubed(x):
        return t.from_numpy(x.numpy() ** 3)

    cubed.__annotations__ = {"x": t.Tensor, "return": t.Tensor}
    op = t.library.custom_op("dispatch_classes::cubed", cubed, mutates_args=())
    op.register_autograd(lambda ctx, g: 3 * g * ctx.saved_tensors[0] ** 2,
                         setup_context=lambda ctx, inputs, output: ctx.save_for_backward(*inputs))
    return op


def operators_of_ones_own(t, r):
    x, plain = r.Logging(ints(t, 3), requires_grad=True), r.Plain(ints(t, 3))
    y = own(t)(x)
    y.sum().backward()
    return y.elem, x.grad.elem, own(t)(plain).elem, t.ops.dispatch_classes.cubed.default(x.detach()).elem


PROGRAMS = {f.__name__: f for f in (
    linear_layer, arithmetic, twice_added, second_derivative, of_plain_and_class, views, shapes_of_views, joined, reductions, pointwise,
    activations, broadcasting, comparisons, written, written_with_history, leaf_written, saved_then_written, products, cnn, layer_norm,
    losses, embedded, with_function, factories, numbers, no_numpy, no_list, copies, places, under_no_grad, hooks, retained, given_gradient,
    of_a_function, slots, on_memory, handed_on, two, two_opened, two_in_a_layer, quantised, quantised_copied, quantised_refuses, momentum,
    adam, lazily, sizes_only, nobody_answers, not_implemented_once, mode_above, two_modes, must_define, not_a_class, lengths_differ, wrapped,
    sequences, values_and_indices, chosen, custom_operators, operators_of_ones_own,
)}  # fmt: skip


# Derivatives that PyTorch makes of other operators: here those of the forward pass alone are compared
OTHER_OPERATORS = frozenset("""
linear_layer second_derivative views joined reductions pointwise cnn layer_norm sequences values_and_indices chosen
""".split())


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", PROGRAMS)
def test_programs(name):
    expected, theirs = outcome(torch, PROGRAMS[name])
    found, mine = outcome(taeda, PROGRAMS[name])
    assert close(found, expected), (found, expected)
    if name in OTHER_OPERATORS:
        theirs, mine = forward(theirs), forward(mine)
    assert mine == theirs
