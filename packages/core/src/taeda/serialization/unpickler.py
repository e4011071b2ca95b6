"""A reader of pickles that runs nothing: it interprets the opcodes itself and builds plain data only.

What a pickle may name are the globals of an allow-list, given by the caller as a table; everything else is
refused with its name.  The standard ``pickle.Unpickler`` is not enough for that: its BUILD sets attributes on
any object and its memo can be made to allocate gigabytes by one opcode.  Here calls are limited to the table,
BUILD to known kinds, and what calls may copy to the size of the pickle.
"""

from __future__ import annotations

import copyreg
import pickle
import pickletools
import struct
from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING
from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import Any

MARK = object()  # on the stack; no opcode can put another one there


def encode(text: Any, encoding: Any = "utf-8") -> bytes:
    """Stand for ``_codecs.encode``, by which protocol 2 writes bytes."""
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1", "utf-8", "utf8"):
        raise pickle.UnpicklingError(f"[load] _codecs.encode takes text and latin1, got {encoding!r}")
    return text.encode(encoding)


# globals of the standard library that only make data; the names of Python 2 among them
PLAIN: dict[str, Any] = {
    "collections.OrderedDict": OrderedDict,
    "collections.Counter": Counter,
    "_codecs.encode": encode,
}
for _module in ("builtins", "__builtin__"):
    for _kind in (set, frozenset, bytes, bytearray, complex, dict):
        PLAIN[f"{_module}.{_kind.__name__}"] = _kind


def today(module: str, name: str) -> str:
    """Python 3's name of a global that protocol 2 wrote by Python 2's."""
    module, name = NAME_MAPPING.get((module, name), (IMPORT_MAPPING.get(module, module), name))
    return f"{module}.{name}"


BLOCKED = ("sys", "os", "posix", "nt")  # modules of which nothing is made, as in PyTorch
PAIRS = (dict, OrderedDict)  # made of pairs, whose first parts are hashed
HASHING = (*PAIRS, set, frozenset, Counter)
SIZED = (list, tuple, dict, set, frozenset, str, bytes, bytearray)


class Unpickler:
    """Interpret one pickle.

    Args:
        data: the pickle.
        table: "module.name" -> what to put in the global's place.  Entries may be called, whatever they are.
        persistent: from a persistent id to its object, or None where there are none.
        allowed: classes and functions that the user vouches for, by "module.name".
        at: where the pickle starts in data; afterwards ``at`` is where it ended.
    """

    def __init__(
        self,
        data: bytes,
        table: dict[str, Any],
        persistent: Callable[[Any], Any] | None = None,
        allowed: dict[str, Any] | None = None,
        at: int = 0,
        encoding: str | None = None,
    ) -> None:
        self.data = data
        self.encoding = encoding
        self.at = at
        self.table = table
        self.persistent = persistent
        self.allowed = allowed or {}
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        self.copies = len(data) + 1024  # items that constructors may copy
        self.hashes = 16 * self.copies  # items that may be hashed: a key that many dicts share takes some bytes in each
        self.plain = {id(f) for f in PLAIN.values()}
        self.ours = {id(f) for f in table.values()}
        self.vouched = {id(f) for f in self.allowed.values()} - self.ours

    def fail(self, text: str) -> pickle.UnpicklingError:
        return pickle.UnpicklingError(f"[load] malformed pickle at byte {self.at}: {text}")

    # -- reading ---------------------------------------------------------------------------------

    def take(self, n: int) -> bytes:
        if n < 0 or self.at + n > len(self.data):
            raise self.fail(f"{n} bytes wanted, {len(self.data) - self.at} left")
        self.at += n
        return self.data[self.at - n : self.at]

    def old_text(self, n: int) -> str | bytes:
        """Text of Python 2, which may be anything: UTF-8 unless the caller says more, and then it has to be."""
        found = self.take(n)
        if self.encoding == "bytes":
            return found
        try:
            return found.decode(self.encoding or "utf-8")
        except UnicodeDecodeError:
            if self.encoding is not None:
                raise
            return found.decode("latin1")

    def number(self, format: str) -> Any:
        return struct.unpack("<" + format, self.take(struct.calcsize(format)))[0]

    def line(self) -> str:
        end = self.data.find(b"\n", self.at)
        if end < 0:
            raise self.fail("a line without end")
        text = self.data[self.at : end].decode("utf-8")
        self.at = end + 1
        return text

    def pop(self) -> Any:
        if not self.stack or self.stack[-1] is MARK:
            raise self.fail("the stack is empty")
        return self.stack.pop()

    def top(self) -> Any:
        if not self.stack or self.stack[-1] is MARK:
            raise self.fail("the stack is empty")
        return self.stack[-1]

    def to_mark(self) -> list[Any]:
        for i in range(len(self.stack) - 1, -1, -1):
            if self.stack[i] is MARK:
                items = self.stack[i + 1 :]
                del self.stack[i:]
                return items
        raise self.fail("no mark on the stack")

    # -- what can do harm ------------------------------------------------------------------------

    def find(self, module: str, name: str) -> Any:
        full = f"{module}.{name}"
        if full in self.table:
            return self.table[full]
        if module in BLOCKED:
            raise pickle.UnpicklingError(f"[load] Weights only load failed: the file asks for {full}, and nothing of module {module} "
                                         "is made of a file with weights_only=True, whatever add_safe_globals was told: it acts "
                                         "on the system")
        if full in self.allowed:
            return self.allowed[full]
        if (now := today(module, name)) in self.allowed:
            return self.allowed[now]
        raise pickle.UnpicklingError(
            f"[load] Weights only load failed: Unsupported global: GLOBAL {full} was not an allowed global by default; if you trust "
            f"it, allow it with taeda.serialization.add_safe_globals([{name}]); weights_only=False runs whatever the file says, use "
            "it for files of your own only"
        )

    def copying(self, n: int) -> None:
        self.copies -= n
        if self.copies < 0:
            raise self.fail("it copies more than it holds")

    def hashing(self, n: int) -> None:
        self.hashes -= n
        if self.hashes < 0:
            raise self.fail("its keys are far longer than itself")

    def key(self, obj: Any, depth: int = 0) -> Any:
        """Return what is about to be hashed; nested tuples and long numbers cost, since hashing them takes time, the former also stack."""
        if isinstance(obj, int):
            self.hashing(obj.bit_length() >> 6)
        if isinstance(obj, (tuple, frozenset)):
            if depth == 8:
                raise self.fail("a key is nested too deeply")
            self.hashing(len(obj))
            for item in obj:
                self.key(item, depth + 1)
        return obj

    def call(self, f: Any, args: Any) -> Any:
        if id(f) not in self.ours and id(f) not in self.vouched:
            raise self.fail(f"a {type(f).__name__} is called that is no allowed global")
        if not isinstance(args, tuple):
            raise self.fail(f"arguments of a call are a {type(args).__name__}, not a tuple")
        if id(f) in self.vouched:
            return f(*args)
        for a in args:
            if isinstance(a, SIZED):
                self.copying(len(a))
            elif id(f) in self.plain and not (f is complex and isinstance(a, (int, float))):
                raise self.fail(f"{f.__name__} of a {type(a).__name__}")  # bytearray(10**12) would allocate
            if any(f is kind for kind in HASHING):
                for item in a:
                    self.key(item[0] if any(f is kind for kind in PAIRS) and isinstance(item, (tuple, list)) and item else item)
        return f(*args)

    def build(self, obj: Any, state: Any) -> None:
        """Set attributes of an OrderedDict (PyTorch keeps _metadata there) or of an allowed class's object."""
        if type(obj) is OrderedDict:
            if not isinstance(state, dict):
                raise self.fail("state of an OrderedDict must be a dict")
            for key in state:
                if not isinstance(key, str) or hasattr(OrderedDict, key):
                    raise self.fail(f"an OrderedDict cannot have the attribute {key!r}")
            obj.__dict__.update(state)
        elif any(type(obj) is a for a in self.allowed.values()):
            if hasattr(obj, "__setstate__"):
                obj.__setstate__(state)
                return
            slots = None
            if isinstance(state, tuple) and len(state) == 2:        # of a class with slots
                state, slots = state
            if not all(part is None or isinstance(part, dict) for part in (state, slots)):
                raise self.fail(f"state of {type(obj).__name__} must be a dict, or two")
            if state:
                obj.__dict__.update(state)
            for name, value in (slots or {}).items():
                if name not in copyreg._slotnames(type(obj)):  # type: ignore[attr-defined]
                    raise self.fail(f"{type(obj).__name__} has no slot {name!r}")     # a property would run, __class__ change what it is
                setattr(obj, name, value)
        else:
            raise self.fail(f"BUILD on a {type(obj).__name__}; only allowed classes have state")

    # -- the loop --------------------------------------------------------------------------------

    def load(self) -> Any:
        """Return the object.

        Raises:
            pickle.UnpicklingError: for a global that is not allowed, an opcode that is not known, or nonsense.
        """
        try:
            while True:
                code = self.take(1)[0]
                if code == STOP:
                    return self.pop()
                action = ACTIONS.get(code)
                if action is None:
                    raise self.fail(f"opcode {bytes([code])!r} is not one of those that checkpoints are written with")
                action(self)
        except (TypeError, ValueError, AttributeError, LookupError, ArithmeticError, RecursionError) as e:
            raise self.fail(f"{type(e).__name__}: {e}") from e

    def push(self, obj: Any) -> None:
        self.stack.append(obj)

    def memoize(self, i: int) -> None:
        self.memo[i] = self.top()

    def recall(self, i: int) -> None:
        if i not in self.memo:
            raise self.fail(f"memo {i} is not set")
        self.stack.append(self.memo[i])

    def items(self, pairs: list[Any]) -> None:
        into = self.top()
        if not isinstance(into, dict) or len(pairs) % 2:
            raise self.fail(f"items are put into a {type(into).__name__}")
        for i in range(0, len(pairs), 2):
            into[self.key(pairs[i])] = pairs[i + 1]

    def append(self, values: list[Any]) -> None:
        into = self.top()
        if type(into) is not list:
            raise self.fail(f"values are appended to a {type(into).__name__}")
        into.extend(values)

    def add(self, values: list[Any]) -> None:
        into = self.top()
        if type(into) is not set:
            raise self.fail(f"values are added to a {type(into).__name__}")
        into.update(map(self.key, values))

    def two(self) -> list[Any]:
        second = self.pop()
        return [self.pop(), second]

    def pick(self, n: int) -> tuple[Any, ...]:
        return tuple([self.pop() for _ in range(n)][::-1])

    def stack_global(self) -> Any:
        module, name = self.two()
        if not isinstance(module, str) or not isinstance(name, str):
            raise self.fail("a global's name is no text")
        return self.find(module, name)

    def reduce(self) -> Any:
        f, args = self.two()
        return self.call(f, args)

    def new(self) -> Any:
        cls, args = self.two()
        if isinstance(cls, type) and any(cls is a for a in self.allowed.values()) and isinstance(args, tuple):
            return cls.__new__(cls, *args)
        return self.call(cls, args)

    def set_state(self) -> None:
        obj, state = self.two()
        self.build(obj, state)
        self.push(obj)

    def persistent_id(self) -> Any:
        pid = self.pop()
        if self.persistent is None:
            raise self.fail("a persistent id where there can be none")
        return self.persistent(pid)

    def long(self, n: int) -> int:
        return int.from_bytes(self.take(n), "little", signed=True)


STOP = pickle.STOP[0]
U = Unpickler
ACTIONS: dict[int, Callable[[Unpickler], Any]] = {
    pickle.PROTO[0]: lambda u: u.take(1),
    pickle.FRAME[0]: lambda u: u.take(8),
    pickle.MARK[0]: lambda u: u.push(MARK),
    pickle.POP[0]: lambda u: u.stack.pop() if u.stack else u.pop(),
    pickle.POP_MARK[0]: lambda u: u.to_mark(),
    pickle.NONE[0]: lambda u: u.push(None),
    pickle.NEWTRUE[0]: lambda u: u.push(True),
    pickle.NEWFALSE[0]: lambda u: u.push(False),
    pickle.BININT[0]: lambda u: u.push(u.number("i")),
    pickle.BININT1[0]: lambda u: u.push(u.number("B")),
    pickle.BININT2[0]: lambda u: u.push(u.number("H")),
    pickle.LONG1[0]: lambda u: u.push(u.long(u.number("B"))),
    pickle.LONG4[0]: lambda u: u.push(u.long(u.number("i"))),
    pickle.BINFLOAT[0]: lambda u: u.push(struct.unpack(">d", u.take(8))[0]),
    pickle.BINUNICODE[0]: lambda u: u.push(u.take(u.number("I")).decode("utf-8", "surrogatepass")),
    pickle.SHORT_BINUNICODE[0]: lambda u: u.push(u.take(u.number("B")).decode("utf-8", "surrogatepass")),
    pickle.BINUNICODE8[0]: lambda u: u.push(u.take(u.number("Q")).decode("utf-8", "surrogatepass")),
    pickle.BINSTRING[0]: lambda u: u.push(u.old_text(u.number("i"))),
    pickle.SHORT_BINSTRING[0]: lambda u: u.push(u.old_text(u.number("B"))),
    pickle.BINBYTES[0]: lambda u: u.push(u.take(u.number("I"))),
    pickle.SHORT_BINBYTES[0]: lambda u: u.push(u.take(u.number("B"))),
    pickle.BINBYTES8[0]: lambda u: u.push(u.take(u.number("Q"))),
    pickle.BYTEARRAY8[0]: lambda u: u.push(bytearray(u.take(u.number("Q")))),
    pickle.EMPTY_TUPLE[0]: lambda u: u.push(()),
    pickle.EMPTY_LIST[0]: lambda u: u.push([]),
    pickle.EMPTY_DICT[0]: lambda u: u.push({}),
    pickle.EMPTY_SET[0]: lambda u: u.push(set()),
    pickle.TUPLE1[0]: lambda u: u.push(u.pick(1)),
    pickle.TUPLE2[0]: lambda u: u.push(u.pick(2)),
    pickle.TUPLE3[0]: lambda u: u.push(u.pick(3)),
    pickle.TUPLE[0]: lambda u: u.push(tuple(u.to_mark())),
    pickle.LIST[0]: lambda u: u.push(u.to_mark()),
    pickle.FROZENSET[0]: lambda u: u.push(frozenset(map(u.key, u.to_mark()))),
    pickle.APPEND[0]: lambda u: u.append([u.pop()]),
    pickle.APPENDS[0]: lambda u: u.append(u.to_mark()),
    pickle.SETITEM[0]: lambda u: u.items(u.two()),
    pickle.SETITEMS[0]: lambda u: u.items(u.to_mark()),
    pickle.ADDITEMS[0]: lambda u: u.add(u.to_mark()),
    pickle.BINPUT[0]: lambda u: u.memoize(u.number("B")),
    pickle.LONG_BINPUT[0]: lambda u: u.memoize(u.number("I")),
    pickle.MEMOIZE[0]: lambda u: u.memoize(len(u.memo)),
    pickle.BINGET[0]: lambda u: u.recall(u.number("B")),
    pickle.LONG_BINGET[0]: lambda u: u.recall(u.number("I")),
    pickle.GLOBAL[0]: lambda u: u.push(u.find(u.line(), u.line())),
    pickle.STACK_GLOBAL[0]: lambda u: u.push(u.stack_global()),
    pickle.REDUCE[0]: lambda u: u.push(u.reduce()),
    pickle.NEWOBJ[0]: lambda u: u.push(u.new()),
    pickle.BUILD[0]: lambda u: u.set_state(),
    pickle.BINPERSID[0]: lambda u: u.push(u.persistent_id()),
}


def globals_of(data: bytes) -> set[str]:
    """Return the globals that a pickle names, as "module.name"; nothing is made.  UnpicklingError for what is no pickle."""
    try:
        return _globals_of(data)
    except (ValueError, IndexError) as error:
        raise pickle.UnpicklingError(f"[load] malformed pickle: {error}") from error


def _globals_of(data: bytes) -> set[str]:
    found: set[str] = set()
    texts: list[Any] = []  # what was last pushed; None for what is not a string
    memo: dict[int, Any] = {}
    for opcode, value, _ in pickletools.genops(data):
        name = opcode.name
        if name == "GLOBAL":
            found.add(".".join(str(value).split(" ", 1)))
            texts.append(None)
        elif name == "STACK_GLOBAL":
            found.add(f"{texts[-2]}.{texts[-1]}")
            texts.append(None)
        elif name in ("BINPUT", "LONG_BINPUT", "PUT", "MEMOIZE"):
            memo[len(memo) if name == "MEMOIZE" else int(value or 0)] = texts[-1] if texts else None
        elif name in ("BINGET", "LONG_BINGET", "GET"):
            texts.append(memo.get(int(value or 0)))
        else:
            texts.append(value if "UNICODE" in name else None)
    return found
