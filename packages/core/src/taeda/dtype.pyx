# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""dtype objects, one for each code of kernels/cpu/abi.h, and PyTorch's promotion of two of them."""


cimport cython

from taeda.kernels.cpu.abi cimport (BF16, BOOL, C32, C64, C128, E4M3FN, F16, F32, F64, I16, I32, I64, NDTYPES, U8, U16, U32, U64)

from taeda import _spoken


@cython.binding(False)                  # plain method descriptors: they check that self is a dtype
@cython.embedsignature(True)            # and say what they take
@cython.embedsignature.format("clinic")
cdef class dtype:
    """The element type of a tensor: ``taeda.float32``, ``taeda.int64``, ...

    >>> import taeda
    >>> taeda.float64.itemsize, taeda.float64.is_floating_point
    (8, True)
    """

    def __init__(self):
        raise TypeError("[dtype] dtypes are fixed objects such as taeda.float32; they are not constructed")

    def __repr__(self):
        return _spoken.name + "." + self.name

    def __reduce__(self):
        return _by_name, (self.name,)

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self

    @property
    def abbr(self):
        """The short name that listings of programs have: ``f32``, ``i64``, ``b8``."""
        if self.name.startswith("float8"):
            return "f8" + self.suffix
        return "f4e2m1fnx2" if self.name == "float4_e2m1fn_x2" else self.suffix

    def to_real(self):
        """Return the real dtype of a complex one, else itself."""
        return {"complex32": float16, "complex64": float32, "complex128": float64}.get(self.name, self)

    def to_complex(self):
        """Return the complex dtype whose parts have this dtype; RuntimeError for integers and floats of one byte."""
        if not self.is_complex and (not self.is_floating_point or self.itemsize == 1):
            raise RuntimeError(f"[to_complex] there is no complex dtype of {self}")
        return {"float16": complex32, "bfloat16": complex64, "float32": complex64, "float64": complex128}.get(self.name, self)


# code: name, kernel suffix, bytes, PyTorch's name in messages and of the legacy tensor type
cdef list ROWS = [
    ("uint8", "u8", 1, "Byte"), ("int8", "i8", 1, "Char"), ("int16", "i16", 2, "Short"), ("int32", "i32", 4, "Int"),
    ("int64", "i64", 8, "Long"), ("float16", "f16", 2, "Half"), ("float32", "f32", 4, "Float"),
    ("float64", "f64", 8, "Double"), ("complex32", "c32", 4, "ComplexHalf"), ("complex64", "c64", 8, "ComplexFloat"),
    ("complex128", "c128", 16, "ComplexDouble"), ("bool", "b8", 1, "Bool"), ("bfloat16", "bf16", 2, "BFloat16"),
    ("uint16", "u16", 2, "UInt16"), ("uint32", "u32", 4, "UInt32"), ("uint64", "u64", 8, "UInt64"),
    ("float8_e4m3fn", "e4m3fn", 1, "Float8_e4m3fn"), ("float8_e5m2", "e5m2", 1, "Float8_e5m2"),
    ("float8_e4m3fnuz", "e4m3fnuz", 1, "Float8_e4m3fnuz"), ("float8_e5m2fnuz", "e5m2fnuz", 1, "Float8_e5m2fnuz"),
    ("float8_e8m0fnu", "e8m0fnu", 1, "Float8_e8m0fnu"),
]
# what finfo says of floats: eps, smallest normal number, largest number, resolution
cdef dict FLOATS = {
    "float16": (2.0 ** -10, 2.0 ** -14, 65504.0, 1e-3), "bfloat16": (2.0 ** -7, 2.0 ** -126, (2.0 - 2.0 ** -7) * 2.0 ** 127, 1e-2),
    "float32": (2.0 ** -23, 2.0 ** -126, (2.0 - 2.0 ** -23) * 2.0 ** 127, 1e-6),
    "float64": (2.0 ** -52, 2.0 ** -1022, (2.0 - 2.0 ** -52) * 2.0 ** 1023, 1e-15),
    "float8_e4m3fn": (0.125, 2.0 ** -6, 448.0, 1.0), "float8_e5m2": (0.25, 2.0 ** -14, 57344.0, 1.0),
    "float8_e4m3fnuz": (0.125, 2.0 ** -7, 240.0, 1.0), "float8_e5m2fnuz": (0.125, 2.0 ** -15, 57344.0, 1.0),
    "float8_e8m0fnu": (1.0, 2.0 ** -127, 2.0 ** 127, 1.0),
}
# dtypes that are names only: name, signed, bytes
cdef list UNHELD_ROWS = [("float4_e2m1fn_x2", True, 1), ("qint8", True, 1), ("quint8", False, 1), ("qint32", True, 4),
                         ("quint4x2", False, 1), ("quint2x4", False, 1)]
UNHELD_ROWS += [(f"{sign}int{bits}", sign == "", 1) for sign in ("", "u") for bits in range(1, 8)]
cdef list objects = []
cdef int itemsizes[NDTYPES]
cdef double largest[NDTYPES]               # of the floats
cdef int kinds[NDTYPES]                    # 0 bool, 1 integer, 2 float, 3 complex
cdef unsigned char table[NDTYPES][NDTYPES]
cdef int default_code = F32


cdef int _build() except -1:
    cdef dtype d
    cdef int code, a, b
    for code, (name, suffix, itemsize, _) in enumerate(ROWS):
        d = dtype.__new__(dtype)
        d.name, d.suffix, d.code, d.itemsize = name, suffix, code, itemsize
        d.is_floating_point = "float" in name
        d.is_complex = name.startswith("complex")
        d.is_signed = not (name.startswith("uint") or name in ("bool", "float8_e8m0fnu"))
        itemsizes[code] = itemsize
        largest[code] = FLOATS[name][2] if name in FLOATS else 0.0
        kinds[code] = 3 if d.is_complex else 2 if d.is_floating_point else 0 if name == "bool" else 1
        objects.append(d)
    for a in range(NDTYPES):
        for b in range(NDTYPES):
            table[a][b] = <unsigned char>_promote(a, b)
    return 0


cdef dtype _unheld(str name, bint signed, int itemsize):
    cdef dtype d = dtype.__new__(dtype)
    d.name, d.suffix, d.code, d.itemsize = name, name, NDTYPES, itemsize
    d.is_floating_point, d.is_complex, d.is_signed = "float" in name, False, signed
    return d


cdef int _promote(int a, int b):
    """The rule behind the table: the higher kind wins; within one kind, the one that holds both."""
    if a == b:
        return a
    if kinds[a] != kinds[b]:
        hi, lo = (a, b) if kinds[a] > kinds[b] else (b, a)
        if kinds[hi] == 3 and kinds[lo] == 2:          # complex with a wider real part's float
            if lo == F64:
                return C128
            if lo in (F32, BF16) and hi == C32:
                return C64
        return hi
    if kinds[a] == 2:
        if {a, b} == {F16, BF16} or (a >= E4M3FN and b >= E4M3FN):
            return F32
        return a if itemsizes[a] > itemsizes[b] else b
    if kinds[a] == 3:
        return a if itemsizes[a] > itemsizes[b] else b
    unsigned = (U8, U16, U32, U64)
    if (a in unsigned) == (b in unsigned):
        return a if itemsizes[a] > itemsizes[b] else b
    u, s = (a, b) if a in unsigned else (b, a)
    if itemsizes[s] > itemsizes[u]:
        return s
    return {U8: I16, U16: I32, U32: I64}.get(u, F32)


cdef dtype dtype_of(int code):
    return <dtype>objects[code]

cdef int code_of(object dt, str op) except -1:
    if type(dt) is dtype:
        if (<dtype>dt).code == NDTYPES:
            raise NotImplementedError(f"[{op}] {dt} is a name only, no tensor can hold it; use taeda.bfloat16 or taeda.float16")
        return (<dtype>dt).code
    if dt is float:
        return F64
    if dt is int:
        return I64
    if dt is bool:
        return BOOL
    if dt is complex:
        return C128
    raise TypeError(f"[{op}] dtype must be a taeda.dtype such as taeda.float32, got {dt!r} ({type(dt).__name__})")

cdef int promote(int a, int b) noexcept:
    return table[a][b]

cdef int refuse_float8(int a, int b) except -1:
    """A float of one byte goes with its like alone: nothing says which numbers it stands for."""
    if a >= E4M3FN or b >= E4M3FN:
        raise RuntimeError(f"[promote] Promotion for Float8 Types is not supported, attempted to promote {torch_name(a)} and "
                           f"{torch_name(b)}; hint: x.to(taeda.float32)")
    return 0

cdef int default_float() noexcept:
    return default_code

cdef int itemsize_of(int code) noexcept:
    return itemsizes[code]

cdef bint is_float(int code) noexcept:
    return kinds[code] == 2

cdef bint is_complex_(int code) noexcept:
    return kinds[code] == 3

cdef bint differentiable(int code) noexcept:
    return kinds[code] >= 2

cdef double largest_of(int code) noexcept:
    return largest[real_code(code)]

cdef int real_code(int code) noexcept:
    return F32 if code == C64 else F64 if code == C128 else F16 if code == C32 else code

cdef int complex_code(int code) noexcept:
    if kinds[code] == 3:
        return code
    if kinds[code] < 2:
        code = default_code
    return C128 if code == F64 else C32 if code == F16 else C64

cdef bint is_integral(int code) noexcept:
    return kinds[code] <= 1

cdef str name_of(int code):
    return (<dtype>objects[code]).name

cdef str torch_name(int code):
    return ROWS[code][3]


def type_name(dtype):
    """Return a dtype's name in PyTorch's messages, "Float" or "Long", by which programs know them."""
    return torch_name(dtype.code)


_build()
(uint8, int8, int16, int32, int64, float16, float32, float64, complex32, complex64, complex128, bool_, bfloat16,
 uint16, uint32, uint64, float8_e4m3fn, float8_e5m2, float8_e4m3fnuz, float8_e5m2fnuz, float8_e8m0fnu) = objects
ALIASES = {
    "float": float32, "double": float64, "half": float16, "int": int32, "long": int64, "short": int16,
    "cfloat": complex64, "cdouble": complex128, "chalf": complex32,
}
NAMES = {d.name: d for d in objects}
UNHELD = {}              # dtypes that programs compare with, and that no tensor has
for _row in UNHELD_ROWS:
    UNHELD[_row[0]] = _unheld(_row[0], _row[1], _row[2])
LEGACY_NAMES = {ROWS[d.code][3]: d for d in objects if d.code < E4M3FN}      # "Float" -> float32


def _by_name(name):
    return NAMES[name] if name in NAMES else UNHELD[name]


def promote_types(type1, type2):
    """Return the smallest dtype that both dtypes promote to.

    >>> import taeda
    >>> taeda.promote_types(taeda.int32, taeda.float32)
    taeda.float32
    """
    cdef int a = code_of(type1, "promote_types"), b = code_of(type2, "promote_types")
    if a != b:
        refuse_float8(a, b)
    return dtype_of(promote(a, b))


def can_cast(from_, to):
    """Whether PyTorch's rules let a result of dtype ``from_`` be stored in ``to``: no lower kind.

    >>> import taeda
    >>> taeda.can_cast(taeda.float64, taeda.float16), taeda.can_cast(taeda.float32, taeda.int64)
    (True, False)
    """
    cdef int a = code_of(from_, "can_cast"), b = code_of(to, "can_cast")
    return kinds[a] <= kinds[b] or (kinds[a] == 1 and kinds[b] == 1)


def get_default_dtype():
    """Return the dtype that floating-point values get when none is asked for.

    >>> import taeda
    >>> taeda.get_default_dtype() is taeda.tensor([1.0]).dtype
    True
    """
    return dtype_of(default_code)


def set_default_dtype(d):
    """Set the dtype of floating-point values; TypeError for another than float16, bfloat16, float32 and float64.

    >>> import taeda
    >>> taeda.set_default_dtype(taeda.float64)
    >>> taeda.tensor([1.0]).dtype
    taeda.float64
    >>> taeda.set_default_dtype(taeda.float32)
    """
    global default_code
    cdef int code = code_of(d, "set_default_dtype")
    if kinds[code] != 2 or d is float or code >= E4M3FN:
        raise TypeError(f"[set_default_dtype] only floating-point types are supported as the default type, got {d}")
    default_code = code


class Limits:
    """What finfo and iinfo share: one object a dtype, whose numbers cannot be changed."""

    def __setattr__(self, name, value):
        raise AttributeError(f"[{type(self).__name__}] attribute {name!r} of a dtype's limits is not writable")

    def __reduce__(self):
        return type(self), (NAMES[self.dtype],)

    @classmethod
    def _kept(cls, asked, limits):
        """The object of these limits, which is kept for whoever asks again; the default dtype may change."""
        found = object.__new__(cls)
        found.__dict__.update(limits)
        if asked is not None:
            cls._made[asked] = found
        return found

    def __hash__(self):
        return hash((type(self), self.dtype))

    def __eq__(self, other):
        return type(self) is type(other) and self.dtype == other.dtype


class finfo(Limits):
    """Limits of a floating-point dtype (the default one unless given): bits, eps, max, min, tiny, smallest_normal, resolution.

    ``eps`` is the step from 1 to the next number.  TypeError for an integer dtype, of which ``iinfo`` knows the limits.

    >>> import taeda
    >>> taeda.finfo(taeda.float32).eps == 2**-23, taeda.finfo(taeda.bfloat16).bits
    (True, 16)
    """

    _made = {}              # what was asked for -> its limits

    def __new__(cls, type=None):
        if isinstance(type, dtype) and type in cls._made:
            return cls._made[type]
        d = get_default_dtype() if type is None else dtype_of(F64) if type is float else dtype_of(C128) if type is complex else type
        d = d.to_real() if isinstance(d, dtype) else d
        if not isinstance(d, dtype) or d.name not in FLOATS:
            if isinstance(d, dtype) and d.name == "float4_e2m1fn_x2":
                raise TypeError(f"[finfo] two numbers of {d} share a byte; there are no limits of one")
            raise TypeError(f"[finfo] needs a floating-point dtype, got {type!r}; use iinfo for integers")
        eps, tiny, most, resolution = FLOATS[d.name]
        return cls._kept(type, {"bits": 8 * d.itemsize, "dtype": d.name, "eps": eps, "max": most, "min": -most if d.is_signed else tiny,
                                "tiny": tiny, "smallest_normal": tiny, "resolution": resolution})

    def __repr__(self):
        return (f"finfo(resolution={self.resolution:g}, min={self.min:g}, max={self.max:g}, eps={self.eps:g}, "
                f"smallest_normal={self.smallest_normal:g}, tiny={self.tiny:g}, dtype={self.dtype})")


class iinfo(Limits):
    """Limits of an integer dtype: bits, min, max.  TypeError for a floating-point one: see ``finfo``.

    >>> import taeda
    >>> taeda.iinfo(taeda.int8).min, taeda.iinfo(taeda.uint8).max
    (-128, 255)
    """

    _made = {}

    def __new__(cls, type):
        if isinstance(type, dtype) and type in cls._made:
            return cls._made[type]
        d = dtype_of(I64) if type is int else type
        if not isinstance(d, dtype) or kinds[(<dtype>d).code] != 1:
            raise TypeError(f"[iinfo] needs an integer dtype, got {type!r}; use finfo for floating point")
        bits = d.itemsize * 8
        return cls._kept(type, {"bits": bits, "dtype": d.name, "min": -(1 << (bits - 1)) if d.is_signed else 0,
                                "max": (1 << (bits - d.is_signed)) - 1})

    def __repr__(self):
        return f"iinfo(min={self.min:g}, max={self.max:g}, dtype={self.dtype})"
