"""Classes with a ``__torch_dispatch__``, made for either framework, and what programs that use them are compared by."""

import functools
import importlib

import numpy as np

LOG = []


@functools.cache
def room(t):
    """The classes that the programs below use, made for one of the two frameworks."""
    tree = importlib.import_module(f"{t.__name__}.utils._pytree")
    off = importlib.import_module(f"{t.__name__}._C")._disabled_torch_function_impl
    modes = importlib.import_module(f"{t.__name__}.utils._python_dispatch")
    no_dispatch = importlib.import_module(f"{t.__name__}.utils._mode_utils").no_dispatch

    def unwrap(x):
        return x.elem if isinstance(x, (Logging, Plain, Slotted)) else x

    class Logging(t.Tensor):
        """PyTorch's documented example: a wrapper that writes down each operator."""

        elem: t.Tensor

        @staticmethod
        def __new__(cls, elem, *args, **kwargs):
            return t.Tensor._make_wrapper_subclass(
                cls, elem.size(), strides=elem.stride(), storage_offset=elem.storage_offset(), dtype=elem.dtype, layout=elem.layout,
                device=elem.device, requires_grad=kwargs.get("requires_grad", False) or elem.requires_grad,
            )  # fmt: skip

        def __init__(self, elem, *args, **kwargs):
            self.elem = elem.detach() if elem.requires_grad else elem

        def __repr__(self, *, tensor_contents=None):
            return f"{type(self).__name__}({self.elem.tolist()})"

        __torch_function__ = off

        @classmethod
        def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
            LOG.append(str(func))
            found = func(*tree.tree_map(unwrap, args), **tree.tree_map(unwrap, kwargs or {}))
            return tree.tree_map(lambda x: cls(x) if isinstance(x, t.Tensor) else x, found)

    class Plain(Logging):
        """With the default ``__torch_function__``, above the operators."""

        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            LOG.append(f"function {func.__name__}")
            return super().__torch_function__(func, types, args, kwargs or {})

    class Slotted(Logging):
        __slots__ = ("other",)

    class Held(t.Tensor):
        """On memory of its own."""

        @staticmethod
        def __new__(cls, data):
            return t.Tensor._make_subclass(cls, data)

        __torch_function__ = off

        @classmethod
        def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
            LOG.append(str(func))
            with no_dispatch():
                found = func(*args, **(kwargs or {}))
            return tree.tree_map(lambda x: x.as_subclass(cls) if type(x) is t.Tensor else x, found)

    class Two(t.Tensor):
        """Two tensors that go through the same operators."""

        @staticmethod
        def __new__(cls, a, b):
            return t.Tensor._make_wrapper_subclass(cls, a.size(), strides=a.stride(), dtype=a.dtype, device=a.device)

        def __init__(self, a, b):
            self.a, self.b = a, b

        def __tensor_flatten__(self):
            return ["a", "b"], None

        @staticmethod
        def __tensor_unflatten__(inner, context, size, stride):
            return Two(inner["a"], inner["b"])

        def __repr__(self):
            return f"Two({self.a.tolist()}, {self.b.tolist()})"

        @classmethod
        def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
            kwargs = kwargs or {}
            a = func(*tree.tree_map_only(Two, lambda x: x.a, args), **tree.tree_map_only(Two, lambda x: x.a, kwargs))
            b = func(*tree.tree_map_only(Two, lambda x: x.b, args), **tree.tree_map_only(Two, lambda x: x.b, kwargs))
            leaves, spec = tree.tree_flatten(a)
            both = [Two(x, y) if isinstance(x, t.Tensor) else x for x, y in zip(leaves, tree.tree_leaves(b))]
            return modes.return_and_correct_aliasing(func, args, kwargs, tree.tree_unflatten(both, spec))

    aten = t.ops.aten
    table = {}

    def implements(*ops):
        def decorate(function):
            table.update(dict.fromkeys(ops, function))
            return function

        return decorate

    class Int8Weight(t.Tensor):
        """A weight in int8 with a scale for each row, as quantisation libraries have it."""

        @staticmethod
        def __new__(cls, data, scale, dtype=None):
            dtype = t.float32 if dtype is None else dtype
            return t.Tensor._make_wrapper_subclass(cls, data.shape, strides=data.stride(), dtype=dtype, device=data.device)

        def __init__(self, data, scale, dtype=None):
            self.int_data, self.scale = data, scale

        @classmethod
        def of(cls, w):
            scale = w.abs().amax(1, keepdim=True) / 127
            return cls((w / scale).round().to(t.int8), scale, w.dtype)

        def dequantize(self):
            return self.int_data.to(self.dtype) * self.scale.to(self.dtype)

        def _apply(self, function):
            return Int8Weight(function(self.int_data), function(self.scale), self.dtype)

        def __tensor_flatten__(self):
            return ["int_data", "scale"], [self.dtype]

        @classmethod
        def __tensor_unflatten__(cls, inner, context, size=None, stride=None):
            return cls(inner["int_data"], inner["scale"], *context)

        def __repr__(self):
            return f"Int8Weight(shape={tuple(self.shape)})"

        __torch_function__ = off

        @classmethod
        def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
            LOG.append(str(func))
            if func not in table:
                raise NotImplementedError(f"{cls.__name__}: {func}")
            return table[func](func, args, kwargs or {})

    @implements(aten.mm.default, aten.addmm.default)
    def _(func, args, kwargs):
        return func(*[x.dequantize() if isinstance(x, Int8Weight) else x for x in args], **kwargs)

    @implements(aten.t.default)
    def _(func, args, kwargs):
        w = args[0]
        return Int8Weight(w.int_data.t(), w.scale.t(), w.dtype)

    @implements(aten.detach.default, aten.clone.default, aten.alias.default)
    def _(func, args, kwargs):
        return args[0]._apply(lambda x: func(x, **kwargs))

    @implements(aten._to_copy.default)
    def _(func, args, kwargs):
        w = args[0]
        dtype = kwargs.pop("dtype", w.dtype)
        return Int8Weight(w.int_data.clone(), w.scale.clone(), dtype)

    @implements(aten.copy_.default)
    def _(func, args, kwargs):
        args[0].int_data.copy_(args[1].int_data)
        args[0].scale.copy_(args[1].scale)
        return args[0]

    @implements(aten.select.int, aten.add_.Tensor)
    def _(func, args, kwargs):
        raise RuntimeError("not of a quantised weight")

    class Refuses(t.Tensor):
        @staticmethod
        def __new__(cls, elem):
            return t.Tensor._make_wrapper_subclass(cls, elem.size(), dtype=elem.dtype)

        __torch_function__ = off

        @classmethod
        def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
            LOG.append(f"refused {len(types)}")
            return NotImplemented

    class Lazy(t.Tensor):
        """Computes nothing until it is asked to."""

        @staticmethod
        def __new__(cls, like, how):
            return t.Tensor._make_wrapper_subclass(cls, like.size(), strides=like.stride(), dtype=like.dtype)

        def __init__(self, like, how):
            self.like, self.how = like, how

        def now(self):
            return self.how()

        __torch_function__ = off

        @classmethod
        def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
            kwargs = kwargs or {}
            like = func(*tree.tree_map_only(Lazy, lambda x: x.like, args), **tree.tree_map_only(Lazy, lambda x: x.like, kwargs))

            def how():
                LOG.append(str(func))
                return func(*tree.tree_map_only(Lazy, lambda x: x.now(), args), **tree.tree_map_only(Lazy, lambda x: x.now(), kwargs))

            return Lazy(like, how) if isinstance(like, t.Tensor) else how()

    class Shapes(t.Tensor):
        """Sizes without values: the meta device under another name."""

        @staticmethod
        def __new__(cls, meta):
            return t.Tensor._make_wrapper_subclass(cls, meta.size(), strides=meta.stride(), dtype=meta.dtype, device="cpu")

        def __init__(self, meta):
            self.meta = meta

        __torch_function__ = off

        @classmethod
        def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
            def meta(x):
                return x.meta if isinstance(x, Shapes) else x.to("meta") if isinstance(x, t.Tensor) else x

            found = func(*tree.tree_map(meta, args), **tree.tree_map(meta, kwargs or {}))
            return tree.tree_map(lambda x: Shapes(x) if isinstance(x, t.Tensor) else x, found)

    class Mode(modes.TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            LOG.append(f"mode {func} {[cls.__name__ for cls in types]}")
            return func(*args, **(kwargs or {}))

    class Passes(t.Tensor):
        """Hands each operator on to what Tensor has."""

        @classmethod
        def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
            LOG.append(str(func))
            return super().__torch_dispatch__(func, types, args, kwargs)

    return type("Room", (), {k: staticmethod(v) if k == "no_dispatch" else v for k, v in locals().items()})


def ints(t, *sizes):
    return (t.arange(float(np.prod(sizes))).view(sizes) - 3) / 4


def plain(found):
    if isinstance(found, (tuple, list)):
        return [plain(x) for x in found]
    if hasattr(found, "detach"):
        return np.asarray(found.detach().numpy(), dtype=np.float64).round(4).__add__(0.0).tolist()
    return str(found) if found.__class__.__name__ == "device" else round(found, 4) if isinstance(found, float) else found


def outcome(t, program):
    LOG.clear()
    try:
        found = plain(program(t, room(t)))
    except Exception as error:
        found = type(error).__name__
    return found, [name for name in LOG if "detach" not in name]


def close(found, expected):
    """Whether two outcomes are the same, numbers but for the last digits that are compared."""
    if isinstance(expected, list) and isinstance(found, list):
        return len(found) == len(expected) and all(map(close, found, expected))
    if isinstance(expected, float) and isinstance(found, float):
        return abs(found - expected) <= 2e-4 * max(1.0, abs(expected))
    return type(found) is type(expected) and found == expected


def forward(names):
    return names[: names.index("aten.ones_like.default")] if "aten.ones_like.default" in names else names
