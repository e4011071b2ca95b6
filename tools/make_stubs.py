"""Write the type stubs of the compiled rooms from the live package: signatures, and types by parameter name.

    python tools/make_stubs.py [--check]

``--check`` writes nothing and fails if a stub is not what it would write.
"""

from __future__ import annotations

import importlib
import inspect
import pathlib
import re
import sys
from collections.abc import Iterable
from typing import Any

import taeda
from taeda import legacy, settings
from taeda.ops import return_types
from taeda.tensor import Tensor

SOURCE = pathlib.Path(__file__).parents[1] / "packages" / "core" / "src" / "taeda"
HEADER = "# Made by tools/make_stubs.py.\n"
IMPORTS = """from builtins import bool as _bool, complex as _complex, float as _float, int as _int
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar, overload

from taeda.ops import return_types as return_types
"""

# parameter name -> type; the default value says more where it is None, a bool, an int, a float or a str
TENSORS = {
    "input", "tensor", "tensor1", "tensor2", "mat1", "mat2", "mat", "vec", "vec1", "vec2", "batch1", "batch2", "weight", "mask", "index",
    "source", "target", "condition", "values", "indices", "x", "sorted_sequence",
}
NUMBER_OR_TENSOR = {"other", "src", "exponent", "value", "fill_value", "alpha", "beta"}
NAMED = {
    "dim": "int | Sequence[int]", "axis": "int | Sequence[int]", "dtype": "_dtype", "device": "_device | str | int", "out": "Tensor",
    "generator": "Generator", "size": "int | Sequence[int]", "sizes": "int | Sequence[int]", "p": "Any",
    "shape": "int | Sequence[int]", "tensors": "Any", "requires_grad": "bool", "hook": "Callable[..., Any]", "reduction": "str",
    "mode": "str", "keepdim": "bool", "keepdims": "bool", "dims": "Any", "repeats": "Any", "index": "Any",
}
OF_FUNCTION = {(f, name): "int | Sequence[int]" for f in ("movedim", "moveaxis") for name in ("source", "destination")}
OF_FUNCTION.update({("is_same_size", "other"): "Tensor", ("map_", "other"): "Tensor", ("map_", "function"): "Callable[..., Any]",
                    ("__init__", "mode"): "bool", ("dim_order", "ambiguity_check"): "_bool | list[Any]",
                    ("register_hook", "hook"): "Callable[[Tensor], Any]",
                    ("register_post_accumulate_grad_hook", "hook"): "Callable[[Tensor], Any]"})
OF_FUNCTION.update({("lerp", "weight"): "Tensor | float", ("lerp_", "weight"): "Tensor | float"})
# functions that return something else than a Tensor
RETURNS = {
    "bool": (
        "equal allclose is_contiguous is_floating_point is_complex is_signed is_same_size is_set_to is_inference is_distributed "
        "is_pinned is_shared is_nonzero is_conj is_neg is_tensor is_grad_enabled is_inference_mode_enabled can_cast _is_view "
        "is_anomaly_enabled is_anomaly_check_nan_enabled"
    ),
    "int": "dim ndimension numel nelement element_size storage_offset data_ptr get_device get_num_threads seed initial_seed",
    "tuple[Tensor, ...]": (
        "split split_with_sizes chunk unbind tensor_split hsplit vsplit dsplit broadcast_tensors meshgrid unsafe_chunk unsafe_split "
        "unsafe_split_with_sizes"
    ),
    "None": "backward retain_grad set_num_threads set_default_dtype set_printoptions save set_rng_state __setitem__ __delitem__ "
            "thread_safe_generator",
    "tuple[Tensor, Tensor]": "var_mean std_mean batch_norm_update_stats native_dropout",
    "tuple[Tensor, Tensor, Tensor]": "native_batch_norm native_group_norm native_layer_norm",
    "tuple[_int, ...]": "broadcast_shapes dim_order",
    "Any": (
        "unique embedding_bag split_copy split_with_sizes_copy unbind_copy unique_consecutive nonzero where size stride item tolist "
        "numpy untyped_storage storage register_hook load register_post_accumulate_grad_hook type __array__ __dlpack__ "
        "__dlpack_device__ __reduce_ex__ histogram batch_norm max_pool1d max_pool2d max_pool3d adaptive_max_pool1d "
        "adaptive_max_pool2d adaptive_max_pool3d fractional_max_pool2d fractional_max_pool3d to_dlpack result_type promote_types "
        "get_default_dtype check_layout shape_of manual_seed fork_rng apply_ global_norm __eq__ __ne__"
    ),
}
ROOMS = {n for n, (room, name) in taeda._LAZY.items() if name is None and room == f"taeda.{n}"}
# rooms that lie beside the others only where taeda is installed
SHELLS = {n for n in ROOMS if (SOURCE / "_shells" / n).is_dir() or (SOURCE / "_shells" / f"{n}.py").is_file()}
RETURN_OF = {name: kind for kind, names in RETURNS.items() for name in names.split()}
RETURN_TYPES = sorted(
    name for name, kind in vars(return_types).items() if isinstance(kind, type) and issubclass(kind, tuple) and not name.startswith("_")
)
RETURN_OF.update({name: f"return_types.{name}" for name in RETURN_TYPES})
# one tensor over all elements, a named pair along a dimension, and for two of them the elementwise choice
ONE_OR_PAIR = {"max", "min", "median", "nanmedian"}
WITH_OTHER = {"max", "min"}
OF_ONE_DIMENSION = {"size": "Size", "stride": "tuple[_int, ...]"}           # an int where a dimension is named
BINARY = (
    "add radd sub rsub mul rmul truediv rtruediv floordiv rfloordiv mod rmod pow rpow matmul rmatmul and rand or ror xor rxor lshift "
    "rshift iadd isub imul itruediv ifloordiv imod ipow iand ior ixor lt le gt ge"
)
DUNDERS = {  # operators, whose slots have no signature: name -> parameters and result
    **{f"__{n}__": ("other: Any", "Tensor") for n in BINARY.split()},
    **{f"__{n}__": ("", "Tensor") for n in ("neg", "pos", "abs", "invert")},
    "__eq__": ("other: object", "Tensor"), "__ne__": ("other: object", "Tensor"), "__hash__": ("", "int"), "__len__": ("", "int"),
    "__bool__": ("", "bool"), "__int__": ("", "int"), "__float__": ("", "float"), "__complex__": ("", "complex"), "__index__": ("", "int"),
    "__iter__": ("", "Iterator[Tensor]"),
    "__contains__": ("element: Any", "bool"), "__getitem__": ("index: Any", "Tensor"), "__setitem__": ("index: Any, value: Any", "None"),
    "__array__": ("dtype: Any = ..., copy: Any = ...", "Any"), "__deepcopy__": ("memo: Any", "Tensor"), "__copy__": ("", "Tensor"),
    "__format__": ("spec: str", "str"), "__getattr__": ("name: str", "Any"), "__setattr__": ("name: str, value: Any", "None"),
    "__reversed__": ("", "Tensor"),
}
PROPERTIES = {
    "shape": "Size", "dtype": "_dtype", "device": "_device", "ndim": "int", "itemsize": "int", "nbytes": "int",
    "requires_grad": "bool", "is_leaf": "bool", "grad_fn": "Any", "grad": "Tensor | None", "data": "Tensor", "T": "Tensor",
    "mT": "Tensor", "H": "Tensor", "mH": "Tensor", "real": "Tensor", "layout": "Any", "is_cpu": "bool", "is_cuda": "bool",
    "is_meta": "bool", "output_nr": "int", "retains_grad": "bool", "_version": "int", "_base": "Tensor | None",
}
WRITABLE = {"requires_grad", "grad", "data"}


def annotation(name: str, default: Any, kind: Any) -> str:
    """Return the type of a parameter."""
    if kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD):
        return NAMED.get(name, "Any") if kind is inspect.Parameter.VAR_POSITIONAL and name != "sizes" else "Any"
    if name in ("reduction", "mode") and isinstance(default, int):      # PyTorch's top level has numbers for them
        return "int"
    if name in NAMED:
        base = NAMED[name]
        never_none = default is inspect.Parameter.empty or (default is not None and base in ("bool", "str"))
        return base if never_none else f"{base} | None"
    if name in NUMBER_OR_TENSOR:
        return "Tensor | complex | None" if default is None else "Tensor | complex"
    if name == "input" and default is None:     # of where
        return "Tensor | complex | None"
    if name in TENSORS:
        return "Tensor" if default is inspect.Parameter.empty else "Tensor | None" if default is None else "Any"
    if isinstance(default, bool):
        return "bool"
    if isinstance(default, (int, float)):
        return "Any"
    if isinstance(default, str):
        return "str"
    return "Any"


def parameters(function: Any, method: bool) -> str:
    """Return the parameter list of a function as a stub has it."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return "self, *args: Any, **kwargs: Any" if method else "*args: Any, **kwargs: Any"
    parts: list[str] = []
    star = False
    unnamed = sum(p.kind is p.POSITIONAL_ONLY for p in signature.parameters.values())
    for position, (name, p) in enumerate(signature.parameters.items()):
        if method and position == 0:
            parts.append("self")
            if p.kind is not p.VAR_POSITIONAL:
                continue
        mark = {p.VAR_POSITIONAL: "*", p.VAR_KEYWORD: "**"}.get(p.kind, "")
        if p.kind is p.VAR_POSITIONAL:
            star = True
        if p.kind is p.KEYWORD_ONLY and not star:
            parts.append("*")
            star = True
        default = " = ..." if p.default is not p.empty else ""
        kind = "Any" if function.__name__.startswith("fused_") else annotation(name, p.default, p.kind)      # whole lists at once
        kind = OF_FUNCTION.get((function.__name__, name), kind)
        parts.append(f"{mark}{name}: {kind}{default}")
        if position + 1 == unnamed:
            parts.append("/")
    return ", ".join(parts)


def summary(function: Any) -> str:
    """Return the first sentence of a docstring as a stub's body."""
    text = inspect.getdoc(function) or ""
    first = text.partition("\n\n")[0].replace("\n", " ").strip()
    first = re.sub(r"\s+", " ", first).replace('"""', "'''").replace("\\", "\\\\")
    return f'    """{first}"""' if first and not first.endswith('"') else "    ..."


def overloads(name: str, function: Any, indent: str, method: bool) -> str:
    """Return the stubs of a function that gives one tensor, or a named pair where it is told a dimension."""
    first = "self" if method else "input: Tensor"
    forms = [(first, "Tensor"), (f"{first}, dim: int, keepdim: bool = ..., *, out: Any = ...", f"return_types.{name}"),
             (f"{first}, *, dim: int, keepdim: bool = ..., out: Any = ...", f"return_types.{name}")]
    if name in WITH_OTHER:
        forms.append((f"{first}, other: Tensor, *, out: Tensor | None = ...", "Tensor"))
    return overloaded(name, function, forms, indent)


def overloaded(name: str, function: Any, forms: Iterable[tuple[str, str]], indent: str = "") -> str:
    """Return the stubs of a function for each form: what it is given, and the type of its result."""
    return "\n".join(f"{indent}@overload\n{indent}def {name}({given}) -> {result}:\n{indent}{summary(function)}" for given, result in forms)


def stub_function(name: str, function: Any, indent: str = "", method: bool = False) -> str:
    """Return the stub of one function or method."""
    if method and name in OF_ONE_DIMENSION:
        forms = (("self, dim: None = ...", OF_ONE_DIMENSION[name]), ("self, dim: int", "int"), ("self, *, axis: int", "int"))
        return overloaded(name, function, forms, indent)
    if name in ONE_OR_PAIR:
        return overloads(name, function, indent, method)
    if name == "where" and not method:
        return overloaded(name, function, (("condition: Tensor", "tuple[Tensor, ...]"), (parameters(function, method), "Tensor")))
    result = "Tensor" if method and name == "where" else RETURN_OF.get(name, "Tensor")
    head = f"{indent}def {name}({parameters(function, method)}) -> {result}:"
    return f"{head}\n{indent}{summary(function)}"


def tensor_class() -> str:
    """Return the stub of the class Tensor."""
    lines = ["class Tensor:", f"    {summary(Tensor).strip()}", "    def __init__(self, *args: Any, **kwargs: Any) -> None: ...",
             "    @staticmethod", "    def _make_subclass(cls: Any, data: Tensor, require_grad: bool = ...) -> Any: ...",
             "    @staticmethod", f"    def _make_wrapper_subclass({parameters(Tensor._make_wrapper_subclass, False)}) -> Any: ...",
             "    def as_subclass(self, cls: Any) -> Any: ..."]
    for name, kind in PROPERTIES.items():
        lines += ["    @property", f"    def {name}(self) -> {kind}: ..."]
        if name in WRITABLE:
            lines += [f"    @{name}.setter", f"    def {name}(self, value: {kind}) -> None: ..."]
    for name, (given, result) in DUNDERS.items():
        ignore = "  # type: ignore[override]" if name in ("__eq__", "__ne__") else ""
        lines.append(f"    def {name}(self{', ' if given else ''}{given}) -> {result}: ...{ignore}")
    done = {"_make_subclass", "_make_wrapper_subclass", "as_subclass", *PROPERTIES, *DUNDERS}
    for name in sorted(vars(Tensor)):
        f = vars(Tensor)[name]
        if name in done or name.startswith("__") or not callable(f):
            continue
        lines.append(stub_function(name, f, "    ", method=True))
    return "\n".join(lines) + "\n"


def tensor_stub() -> str:
    """Return tensor.pyi."""
    return (HEADER + IMPORTS + "from taeda.device import device as _device\nfrom taeda.dtype import dtype as _dtype\n"
            "from taeda.generator import Generator\nfrom taeda.tensor_base import Size\n\n" + tensor_class()
            + "".join(f"def {name}({parameters(f, False)}) -> Any: ...\n" for name, f in sorted(vars(sys.modules["taeda.tensor"]).items())
                      if getattr(f, "__module__", "") == "taeda.tensor" and not inspect.isclass(f) and not name.startswith("_")))


# what `import taeda` shows of rooms besides the ops, in the stub's order
SHOWN = {
    "autograd.grad_mode": "enable_grad inference_mode is_grad_enabled is_inference_mode_enabled no_grad set_grad_enabled",
    "amp.autocast_mode": "autocast",
}
LAZY_ROOMS = ("absent", "compiler", "amp.grad_scaler", "file_memory", "futures", "jit", "sparse.creation", "streams", "symbolic")
SHOWN_LATER = {
    "device": "device get_default_device set_default_device",
    "dtype": "can_cast dtype finfo get_default_dtype iinfo promote_types set_default_dtype",
    "generator": "Generator",
    "layout": "layout sparse_bsc sparse_bsr sparse_coo sparse_csc sparse_csr strided",
    "printing": "set_printoptions",
    "random": "get_rng_state initial_seed manual_seed seed set_rng_state",
    "legacy": "is_storage set_default_tensor_type typename",
    "settings": " ".join(settings.__all__),
    "serialization": "load save",
    "storage": "OutOfMemoryError Storage:UntypedStorage",
    "tensor": "Tensor",
    "tensor_base": "Size",
    "threads": "get_num_threads set_num_threads",
    "typed_storage": "TypedStorage",
}
# functions of taeda itself
OWN = (
    "is_tensor", "is_floating_point", "is_complex", "is_nonzero", "is_inference", "numel", "range", "result_type", "scalar_tensor",
)
VALUES = (
    "default_generator: Generator", "contiguous_format: Any", "preserve_format: Any", "channels_last: Any", "channels_last_3d: Any",
    "memory_format: Any",
)
ALIASED = {"device", "dtype"}           # classes whose names are parameters' names too: the stub has them with an underscore as well
FOR_OTHERS = "  # type: ignore[attr-defined]"           # packages and rooms that need not be installed


def shown(room: str, names: Iterable[str]) -> str:
    """Return the line by which a stub passes names on; "a:b" is a under the name b."""
    pairs = [(name.partition(":")[0], name.rpartition(":")[2]) for name in names]
    return f"from {room} import " + ", ".join(f"{own} as {public}" for own, public in pairs)


def lazy_names(room: str) -> list[str]:
    """Return the names that taeda takes from a room when they are asked for."""
    rooms = {"sparse.public": "sparse.creation"}            # where the first only passes on what the second defines
    return [f"{own}:{name}" for name, (home, own) in sorted(taeda._LAZY.items())
            if own and rooms.get(home.removeprefix("taeda."), home.removeprefix("taeda.")) == room]


def package_stub() -> str:
    """Return __init__.pyi: the public names of taeda."""
    from taeda.amp import legacy as amp_legacy
    from taeda.dtype import ALIASES, NAMES, UNHELD

    casting = [name for name, (room, _) in taeda._LAZY.items() if room == "taeda.amp.casting"]
    lines = [
        HEADER + IMPORTS + shown("taeda", sorted(({"autograd", "cpu", "cuda", "ops"} | ROOMS) - SHELLS)),
        shown("taeda", sorted(SHELLS)) + FOR_OTHERS,
        shown("taeda", sorted(taeda._PACKAGES)) + FOR_OTHERS,
        shown("taeda._version", ["__version__"]),
        *(shown(f"taeda.{room}", names.split()) for room, names in SHOWN.items()),
        *(shown(f"taeda.{room}", lazy_names(room)) for room in LAZY_ROOMS),
        shown("taeda.amp.casting", casting),
    ]
    for room, names in SHOWN_LATER.items():
        lines.append(shown(f"taeda.{room}", names.split()))
        if room in ALIASED:
            lines.append(f"from taeda.{room} import {room} as _{room}")
    lines += ["", *VALUES]
    lines += [f"{name}: _dtype" for name in [*NAMES, *ALIASES, *UNHELD]]
    storages = [name for name, (room, _) in taeda._LAZY.items() if room == "taeda.typed_storage" and name != "TypedStorage"]
    lines += [f"{name}: Any" for name in (*legacy.NAMES, *storages)]
    lines += ["pi: _float", "e: _float", "inf: _float", "nan: _float", "newaxis: None"]
    functions = {**taeda.ops.PUBLIC, **{name: getattr(taeda, name) for name in OWN if hasattr(taeda, name)}}
    lines += [stub_function(name, f) for name, f in sorted(functions.items())]
    lines.append("def from_dlpack(ext_tensor: Any, *, device: Any = ..., copy: bool | None = ...) -> Tensor: ...")
    lines.append("def to_dlpack(tensor: Tensor) -> Any: ...")
    lines += [f"def {name}({parameters(f, False)}) -> Any: ..." for name, f in vars(amp_legacy).items() if "_autocast_" in name]
    text = "\n".join(lines) + "\n"
    return text + rest(text)


def rest(text: str) -> str:
    """Return the stubs of the public names of taeda that ``text`` does not have."""
    known = set(re.findall(r"(?:^|\bas |^def |^class )(\w+)(?=[:,(]|$| as |  #)", text, re.MULTILINE))
    lines = [shown("taeda.nn.functional._native", sorted(taeda._OF_NN)) + FOR_OTHERS]
    homes: dict[str, list[str]] = {}
    for name, (home, own) in sorted(taeda._LAZY.items()):
        if name not in known and own and not name.startswith("_"):
            homes.setdefault(home, []).append(f"{own}:{name}")
    lines += [shown(home, names) for home, names in sorted(homes.items())]
    for name in sorted(set(dir(taeda)) - known - set(taeda._OF_NN) - set(taeda._LAZY)):
        value = None if name.startswith(("_", "has_")) else getattr(taeda, name)
        if value is not None and not inspect.ismodule(value):
            lines.append(stub_function(name, value) if callable(value) and not inspect.isclass(value) else f"{name}: Any")
    return "\n".join(lines) + "\n"


NOT_OPS = {"PUBLIC", "METHODS", "Any", "importlib", "pkgutil", "annotations", "_collect", "function_for", "method_for"}


def ops_stub() -> str:
    """Return ops/__init__.pyi: every function of every family."""
    lines = [
        HEADER + IMPORTS + "from taeda.device import device as _device\nfrom taeda.dtype import dtype as _dtype\n"
        "from taeda.generator import Generator\nfrom taeda.tensor import Tensor\n",
        "PUBLIC: dict[str, Any]", "METHODS: dict[str, Any]",
    ]
    for name, f in sorted(vars(taeda.ops).items()):
        if name.startswith("__") or name in NOT_OPS or inspect.ismodule(f):
            continue
        if inspect.isclass(f) or not callable(f):
            lines.append(f"{name}: Any")
        else:
            lines.append(stub_function(name, f))
    return "\n".join(lines) + "\n"


def is_own(module: Any, f: Any) -> bool:
    """Whether a name's value is defined in this module; classes that users know as taeda's own say "taeda"."""
    if inspect.isclass(f) and f.__module__ == "taeda":
        source = SOURCE.joinpath(*module.__name__.split(".")[1:]).with_suffix(".pyx").read_text()
        return re.search(rf"^(cdef )?class {f.__name__}\b", source, re.MULTILINE) is not None
    return getattr(f, "__module__", None) == module.__name__


SPECIAL = {"__init__", "__len__", "__enter__", "__exit__", "__call__"}           # methods with underscores that stubs show
OF_C = {"TensorBase", "Node", "Storage", "Op", "dtype", "finfo", "iinfo"}           # whose fields and methods Python does not see
MADE_BY_USERS = {"Storage", "Node", "finfo", "iinfo"}
MODE = [
    "    def __init__(self, *args: Any) -> None: ...", "    def __call__(self, function: _Function) -> _Function: ...",
    "    def __enter__(self) -> None: ...", "    def __exit__(self, *error: object) -> None: ...",
]
OPEN = ["    def __getattr__(self, name: str) -> Any: ...", "    def __setattr__(self, name: str, value: Any) -> None: ..."]


def base_of(cls: type) -> str:
    """Return what stands in parentheses behind a class's name."""
    if any(base.__name__ == "tuple" for base in cls.__bases__):
        return "(tuple[int, ...])"
    if issubclass(cls, MemoryError):
        return "(MemoryError, RuntimeError)"
    if issubclass(cls, RuntimeError):
        return "(RuntimeError)"
    return "(Disabling)" if cls.__base__ is not None and cls.__base__.__name__ == "Disabling" else ""


def method_lines(name: str, method: Any) -> list[str]:
    """Return the stub of a method of a small module's class."""
    result = {"__init__": "None", "manual_seed": "Generator", "seed": "int", "initial_seed": "int"}.get(name, "Any")
    static = isinstance(method, staticmethod)
    line = f"    def {name}({parameters(method.__func__ if static else method, not static)}) -> {result}: ..."
    return ["    @staticmethod", line] if static else [line]


def class_lines(name: str, cls: type) -> list[str]:
    """Return the stub of one class of a small module: its fields and its methods by their signatures."""
    base = base_of(cls)
    if name == "_Mode" or any(b.__name__ == "_Mode" for b in cls.__bases__):
        return [f"class {name}{base}:", *MODE]
    methods = [m for m in sorted(vars(cls)) if callable(vars(cls)[m]) and (not m.startswith("__") or m in SPECIAL)]
    if base:
        methods = [m for m in methods if m != "__len__"]
    if name in OF_C:
        methods = [m for m in methods if m in ("__init__", "__len__")]
        if name in MADE_BY_USERS and "__init__" not in methods:
            methods.append("__init__")
    body = [line for m in methods for line in method_lines(m, inspect.getattr_static(cls, m))]
    if name == "Generator":
        body.insert(0, "    def __init__(self, device: Any = ...) -> None: ...")
    fields = OPEN if name in OF_C else [f"    {m}: Any" for m in sorted(vars(cls)) if not callable(vars(cls)[m]) and not m.startswith("_")]
    return [f"class {name}{base}:", *(fields + body or ["    ..."])]


def class_stub(module: Any, values: dict[str, str]) -> str:
    """Return the stub of a small compiled module: its functions and classes by their signatures, values as given."""
    lines = [HEADER + IMPORTS, *(f"{name}: {kind}" for name, kind in values.items())]
    if module.__name__ == "taeda.autograd.grad_mode":           # decorators too, which leave a function's type as it is
        lines.append('_Function = TypeVar("_Function", bound=Callable[..., Any])')
    for name, f in sorted(vars(module).items()):
        if name.startswith("__") or name in values or inspect.ismodule(f) or not is_own(module, f):
            continue
        if inspect.isclass(f):
            lines += class_lines(name, f)
        elif callable(f):
            lines.append(f"def {name}({parameters(f, False)}) -> Any: ...")
    text = ("\n".join(lines) + "\n").replace("Callable[[Tensor], Any]", "Callable[..., Any]")
    for kind in ("_dtype", "Tensor"):           # classes that a small module does not import
        text = text.replace(f": {kind}", ": Any")
    return re.sub(r"(?:Tensor|_dtype|_device|Generator) \|", "Any |", text)


def return_types_stub() -> str:
    """Return ops/return_types.pyi: the named tuples that reductions and orders give."""
    lines = [HEADER + "from typing import NamedTuple\n\nfrom taeda.tensor import Tensor\n"]
    for name in RETURN_TYPES:
        lines += [f"class {name}(NamedTuple):", *(f"    {field}: Tensor" for field in getattr(return_types, name).__match_args__)]
    lines.append("def republish(room: str) -> None: ...")
    return "\n".join(lines) + "\n"


def safe(text: str) -> str:
    """Write builtin types with an underscore: taeda has names int, bool and float of its own."""
    return re.sub(r"(: |-> |\| |\[|, )(int|bool|float|complex)\b(?! as )(?!\()", r"\1_\2", text)


SMALL = (
    "tensor_base", "storage", "dtype", "generator", "registry", "recording", "elements", "tensor_attributes", "tensor_autograd",
    "tensor_conversions", "dlpack", "autograd.grad_mode", "autograd.node", "autograd.engine", "autograd.passes", "autograd.leaves",
    "amp.casting", "_override", "_override_attributes", "_override_protocol", "stand_ins", "layer_call", "autograd.dual", "autograd.saved",
    "autograd.anomaly_mode", "autograd.shadows", "kernels.cpu.runtime", "checksum",
)


def stubs() -> dict[str, str]:
    """Return path below taeda -> text, for every stub."""
    from taeda.dtype import NAMES

    dtypes = {("bool_" if name == "bool" else name): "dtype" for name in NAMES}
    tables = dict.fromkeys(("ALIASES", "NAMES", "UNHELD", "LEGACY_NAMES"), "dict[str, dtype]")
    values = {"dtype": {**dtypes, **tables}, "generator": {"default_generator": "Generator"}}
    made = {
        "__init__.pyi": package_stub(), "tensor.pyi": tensor_stub(), "ops/__init__.pyi": ops_stub(),
        "ops/return_types.pyi": return_types_stub(),
    }
    for name in SMALL:
        module = importlib.import_module(f"taeda.{name}")
        made[f"{name.replace('.', '/')}.pyi"] = class_stub(module, values.get(name, {}))
    return made


def main() -> int:
    check = "--check" in sys.argv[1:]
    stale = []
    for path, text in stubs().items():
        target = SOURCE / path
        text = safe(text)
        if target.exists() and target.read_text() == text:
            continue
        stale.append(path)
        if not check:
            target.write_text(text)
    if check and stale:
        print(f"stubs that are not up to date: {', '.join(stale)}; run python tools/make_stubs.py")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
