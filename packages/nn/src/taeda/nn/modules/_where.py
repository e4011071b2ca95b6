"""Say in which module of a model an exception was raised.

``Module.__call__`` hands every exception that leaves a forward to ``locate`` on its way up.  The innermost
module names itself, each caller puts its own part of the path in front, so what reaches the user reads
``in model.encoder.2 (Linear): ...`` once, with the path from the module that was called first;
``in Linear: ...`` where that is the module itself.
A forward that succeeds pays nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from taeda.nn.modules.module import Module

# Types whose text is args[0]: the line goes in front of it.  Any other exception (a class of the user's,
# KeyError, whose text is a repr, OSError, ...), and what the program raises itself, keeps its arguments and gets the line as a note.
_TEXT_TYPES = (
    RuntimeError,
    ValueError,
    TypeError,
    IndexError,
    NotImplementedError,
    AssertionError,
    AttributeError,
    ArithmeticError,
    ZeroDivisionError,
    OverflowError,
    MemoryError,
)


class _Mark:
    """What an exception carries on its way up: where it is now and what it said at first."""

    __slots__ = ("cls", "line", "module", "path", "text")

    def __init__(self, module: Module | None, text: str | None) -> None:
        self.module = module  # the outermost module passed so far
        self.cls = type(module).__name__  # of the innermost one, which raised
        self.path: str = ""
        self.text = text  # original text, or None where the line is a note
        self.line: str | None = None

    def __reduce__(self) -> Any:
        return _Mark, (None, None)  # an error that is sent to another process does not take the model along


def _name_below(parent: Module, child: Module | None) -> str | None:
    for name, module in parent.named_modules():
        if module is child:
            return name
    return None


def locate(module: Any, error: Exception, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Put the line ``in model.path (Class): ...``, or ``in Class: ...``, into ``error``, or lengthen the path it has."""
    if "_modules" not in module.__dict__:
        error.add_note(f"{type(module).__name__}.__init__ must call super().__init__() before anything else")
        return
    mark: _Mark | None = getattr(error, "_taeda_where", None)
    if mark is None:
        mark = _begin(module, error, args, kwargs)
        if mark is None:
            return
    else:
        name = _name_below(module, mark.module)
        if name is None and mark.module is None:  # raised in another process, and named there
            return
        if name is None:  # the module is not a child of this one: held in a plain list, or a global
            inner = f"{type(mark.module).__name__}{mark.path}, {mark.cls}" if mark.path else mark.cls
            mark.cls, mark.path = f"{type(module).__name__} > {inner}", ""
        elif name:  # "" is the module itself, called through its own __call__ again
            mark.path = f".{name}{mark.path}"
        mark.module = module
    where = f"in model{mark.path} ({mark.cls})" if mark.path else f"in {mark.cls}"
    if mark.text is not None:
        error.args = (f"{where}: {mark.text}", *error.args[1:])
        return
    notes = getattr(error, "__notes__", None)
    if notes is not None and mark.line in notes:
        notes.remove(mark.line)
    mark.line = where
    error.add_note(where)


def _begin(module: Any, error: Exception, args: tuple[Any, ...], kwargs: dict[str, Any]) -> _Mark | None:
    if isinstance(error, (StopIteration, StopAsyncIteration)):
        return None
    text = None
    if type(error) in _TEXT_TYPES and len(error.args) == 1 and isinstance(error.args[0], str) and not _raised_by_program(error):
        text = error.args[0]
        try:
            cure = module._cure(*args, **kwargs) or _cure_of_tuples(module, error, args)
        except Exception:  # a hint must never hide the error itself
            cure = None
        if cure:
            text = f"{text}\n{cure}"
    mark = _Mark(module, text)
    try:
        error._taeda_where = mark  # type: ignore[attr-defined]
    except AttributeError:  # a class with __slots__
        return None
    return mark


def _raised_by_program(error: Exception) -> bool:
    """Return whether the exception comes from a ``raise`` or ``assert`` outside of taeda, whose text programs may look for."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None or trace.tb_frame.f_globals.get("__name__", "").split(".")[0] == "taeda":
        return False
    from opcode import opmap  # no part of the start

    code = trace.tb_frame.f_code.co_code
    return 0 <= trace.tb_lasti < len(code) and code[trace.tb_lasti] == opmap["RAISE_VARARGS"]


def _cure_of_tuples(module: Any, error: Exception, args: tuple[Any, ...]) -> str | None:
    """Say that a layer was given everything another one returns, where it takes a tensor."""
    if not (isinstance(error, TypeError) and args and isinstance(args[0], tuple)):
        return None
    if hasattr(args[0], "batch_sizes"):
        if "PackedSequence" not in str(error):  # a recurrent layer, which takes them, and has another complaint
            return None
        return f"{type(module).__name__} got a PackedSequence: did you mean its .data, or nn.utils.rnn.pad_packed_sequence(...)[0]?"
    return (
        f"{type(module).__name__} got a tuple of {len(args[0])}: layers such as LSTM, or pools with return_indices, return "
        "several tensors; did you mean output[0]?"
    )
