# cython: language_level=3, boundscheck=False, wraparound=True, initializedcheck=False
"""PyTorch's ``_foreach_*`` functions, which programs use on lists of parameters: one call, an operation on each tensor.

They are the operations themselves, tensor by tensor; the optimizers' fused steps do not need them.  Which form of arguments a call has is
found out once for each row of kinds (``kind_of``): of short lists of small tensors it would take longer than the operations.  In Python,
asking what the arguments are took as long as four operations.

>>> import taeda
>>> taeda._foreach_add([taeda.ones(1), taeda.ones(2)], 1)
(tensor([2.]), tensor([2., 2.]))
"""

from taeda.tensor_base cimport TensorBase

from taeda.ops import METHODS, PUBLIC

UNARY = (
    "abs", "acos", "asin", "atan", "ceil", "cos", "cosh", "erf", "erfc", "exp", "expm1", "floor", "frac", "lgamma", "log",
    "log10", "log1p", "log2", "max", "neg", "reciprocal", "round", "rsqrt", "sigmoid", "sign", "sin", "sinh", "sqrt", "tan", "tanh",
    "trunc", "zero",
)  # fmt: skip
# maximum and minimum take tensors alone, but lists of them numbers too, as clamp_min and clamp_max do
OF_NUMBERS_TOO = {
    "maximum": METHODS["clamp_min"], "maximum_": METHODS["clamp_min_"], "minimum": METHODS["clamp_max"], "minimum_": METHODS["clamp_max_"],
}  # fmt: skip

# The forms in which an operation takes its arguments after the list: a word for each, "kind name", with a default "kind name=value" where
# it may be left out, and a * before those that are told by name.  Kinds: L list of tensors, N list of numbers, S number, T tensor without
# dimensions, V tensor of numbers, A anything.
ROWS = ("S scalar", "L other", "N scalars")
SUMS = ("T other *S alpha=1", "S scalar", "L other *S alpha=1", "N scalars")
PRODUCTS = ("T other", *ROWS)
POWERS = ("L exponent", "S exponent", "N exponent")
TERNARY = tuple(f"L tensor1 L tensor2 {last}" for last in ("V scalars", "S value=1", "N scalars"))
FORMS = {
    **dict.fromkeys(UNARY, ("",)), "clone": ("*A memory_format=None",), "add": SUMS, "sub": SUMS[1:], "mul": PRODUCTS, "div": PRODUCTS,
    **dict.fromkeys(("clamp_max", "clamp_min", "maximum", "minimum"), ROWS), "pow": POWERS, "copy": ("L src A non_blocking=False",),
    "addcdiv": TERNARY, "addcmul": TERNARY, "lerp": tuple(f"L tensors1 {last}" for last in ("L weights", "S weight", "N weight")),
    "norm": ("S ord=2 A dtype=None",), "powsum": ("S ord=2 A dtype=None",), "mm": ("L mat2",),
}  # fmt: skip


cdef bint is_number(object x):
    if isinstance(x, TensorBase):
        return (<TensorBase>x).view.ndim == 0 and not x.requires_grad
    return isinstance(x, (bool, int, float, complex)) or hasattr(x, "__index__") or (hasattr(x, "__float__") and not hasattr(x, "__len__"))


cdef bint are_tensors(object x):
    for t in x:
        if not isinstance(t, TensorBase):
            return False
    return True


def _fits(kind, x):
    """Whether an argument is of a kind."""
    if kind == "L" or kind == "N":
        return isinstance(x, (list, tuple)) and (are_tensors(x) if kind == "L" else all([is_number(item) for item in x]))
    return kind == "A" or (is_number(x) if kind == "S" else isinstance(x, TensorBase))


class Form:
    """One form of arguments."""

    def __init__(self, text):
        words = text.split()
        self.text = ", ".join([f"{kind} {name}" for kind, name in zip(words[::2], words[1::2], strict=True)])
        self.kinds = {word.partition("=")[0]: kind[-1] for kind, word in zip(words[::2], words[1::2], strict=True)}
        self.needed = {word for word in words[1::2] if "=" not in word}
        self.positional = [name for name, kind in zip(self.kinds, words[::2], strict=True) if kind[0] != "*"]

    def fits(self, args, kwargs):
        """Return whether these are arguments of this form."""
        if len(args) > len(self.positional) or not kwargs.keys() <= set(self.kinds) - set(self.positional[:len(args)]):
            return False
        given = {**dict(zip(self.positional, args)), **kwargs}
        return self.needed <= given.keys() and all([_fits(self.kinds[name], value) for name, value in given.items()])

    def plan(self, count, names):
        """Return (name, kind, place) of each argument, where ``count`` come by position and the others by these names after them."""
        places = {name: i for i, name in enumerate((*self.positional[:count], *names))}
        return [(name, kind, places[name]) for name, kind in self.kinds.items() if name in places]


cdef str kind_of(object x):
    """What decides which forms an argument fits: of a tensor, whether it is a number; nothing where more than types decides."""
    kind = type(x)
    if kind is float or kind is int or kind is bool or kind is complex:
        return "S"
    if kind is list or kind is tuple:
        if not x:
            return ""
        if are_tensors(x):
            return "L"
        for item in x:
            kind = type(item)
            if not (kind is float or kind is int or kind is bool or kind is complex):
                return ""
        return "N"
    return ("T" if is_number(x) else "V") if isinstance(x, TensorBase) else ""


cdef object tensors_of(str name, object tensors):
    if not isinstance(tensors, (list, tuple)) or not are_tensors(tensors):
        raise TypeError(f"[{name}] argument 'self' must be a tuple or list of Tensors")
    if not tensors:
        raise RuntimeError(f"[{name}] Tensor list must have at least one tensor.")
    return tensors


cdef object items_of(str name, Py_ssize_t n, str kind, object value):
    """An argument for each of ``n`` tensors; a number or a tensor without dimensions is one for all."""
    if kind == "S" or kind == "A":
        return [value] * n
    if kind == "T":
        if value.ndim:
            raise RuntimeError(f"[{name}] scalar tensor expected to be 0 dim but it has {value.ndim} dimensions; a list has one for each")
        return [value] * n
    if kind == "V":
        if value.ndim != 1:
            raise RuntimeError(f"[{name}] expected packed scalar Tensor to be of dimension 1, got {value.ndim} dimensions")
        value = value.tolist()
    if len(value) != n:
        others = "tensors" if kind == "L" else "numbers"
        raise RuntimeError(f"[{name}] Tensor lists must have the same number of tensors, got {n} and {len(value)} {others}")
    return value


def _made(str name, forms, step):
    """Return ``_foreach_<name>``; a name that ends in _ changes the tensors and returns their list."""
    cdef str title = f"_foreach_{name}"
    cdef dict plans = {}
    cdef bint in_place = name.endswith("_"), alone = "" in forms       # alone: the list may be all that is given
    known = [Form(text) for text in forms]
    by_name = {name: name for name in ("alpha", "value", "memory_format")}
    if name.startswith("addc"):
        by_name["scalars"] = "value"

    def plan_of(args, kwargs):
        form = next((form for form in known if form.fits(args, kwargs)), None)
        if form is None:
            got = ", ".join([type(a).__name__ for a in args] + [f"{k}={type(v).__name__}" for k, v in kwargs.items()])
            expected = " ".join([f"({form.text})" for form in known])
            raise TypeError(f"[{title}] received an invalid combination of arguments after the list of tensors: got ({got}); "
                            f"expected one of {expected}")
        return [(by_name.get(word), kind, place) for word, kind, place in form.plan(len(args), list(kwargs))]

    def function(self, *args, **kwargs):
        cdef Py_ssize_t n, i
        cdef list columns, results
        if alone and not args and not kwargs:
            results = [step(t) for t in tensors_of(title, self)]
            return self if in_place else tuple(results)
        given = (*args, *kwargs.values()) if kwargs else args
        kinds = tuple([kind_of(value) for value in given])
        key = (kinds, *kwargs) if kwargs else kinds
        plan = plans.get(key)
        if plan is None:
            plan = plan_of(args, kwargs)
            if "" not in kinds and all([kind != "N" or kinds[place] == "N" for _, kind, place in plan]):  # tensors may be numbers, or not
                plans[key] = plan
        tensors = tensors_of(title, self)
        n = len(tensors)
        columns, named, word = [], None, None                          # of one argument that each call is given by name
        for called, kind, place in plan:
            items = items_of(title, n, kind, given[place])
            if called is None:
                columns.append(items)
            else:
                word, named = called, items
        results = []
        for i in range(n):
            if named is not None:
                results.append(step(tensors[i], *[column[i] for column in columns], **{word: named[i]}))
            elif len(columns) == 1:
                results.append(step(tensors[i], columns[0][i]))
            else:
                results.append(step(tensors[i], *[column[i] for column in columns]))
        return self if in_place else tuple(results)

    function.__name__ = function.__qualname__ = title
    function.__doc__ = f"Call ``{name}`` on each tensor of a list; an argument is one for all, or a list with one for each."
    return function


def _norm(t, ord=2, dtype=None):
    return t.norm(ord, dtype=dtype)


def _power_sum(t, ord=2, dtype=None):
    return t.abs().pow(ord).sum(dtype=dtype)


STEPS = {**OF_NUMBERS_TOO, "norm": _norm, "powsum": _power_sum}


def _step(name):
    return STEPS.get(name) or METHODS.get(name) or PUBLIC.get(name)


FUNCTIONS = {}
for _name, _forms in FORMS.items():
    for _full in (_name, f"{_name}_"):
        _found = None if _full in ("copy", "max_", "norm_", "clone_", "mm_") else _step(_full)
        if _found is not None:
            FUNCTIONS[f"_foreach_{_full}"] = _made(_full, _forms, _found)
_powers = FUNCTIONS["_foreach_pow"]


def _foreach_pow(self, exponent):
    """Raise each tensor of a list to a power, or a number to the power of each tensor."""
    if isinstance(self, (bool, int, float, complex)):
        return tuple([PUBLIC["pow"](self, t) for t in tensors_of("_foreach_pow", exponent)])
    return _powers(self, exponent)


FUNCTIONS["_foreach_pow"] = _foreach_pow
