# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Anomaly mode: an error or a nan in a backward pass names the op and the line of the forward that led to it.

While it is on, every node keeps the stack it was made under (``metadata["traceback_"]``) and every in-place write its
line.  While it is off, nothing is paid but the test of one flag.
"""
import os
import sys
import warnings
import weakref

from taeda import _above
from taeda.tensor_base import TensorBase

cdef bint anomaly = False
cdef bint check_nan = True
cdef object running = None              # the node whose vjp is at work: the parent of nodes made meanwhile
writes = weakref.WeakKeyDictionary()    # storage -> (op, where it was called)


def is_anomaly_enabled():
    """Whether anomaly mode is on."""
    return anomaly


def is_anomaly_check_nan_enabled():
    """Whether anomaly mode looks for nan in the gradients."""
    return check_nan


def set_anomaly_enabled(bint mode, bint check=True):
    """Turn anomaly mode on or off."""
    global anomaly, check_nan
    anomaly, check_nan = mode, check
    _above.watch_writes(note_write if mode else None, "anomaly")


class detect_anomaly:
    """In this block, backward passes that fail or give nan say which line of the forward is to blame.

    >>> import taeda, warnings
    >>> x = taeda.zeros(1, requires_grad=True)
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")           # that the mode is on, and where the forward line was
    ...     with taeda.autograd.detect_anomaly():
    ...         y = (x.sqrt() * 0).sum()
    ...         try:
    ...             y.backward()
    ...         except RuntimeError as error:
    ...             print(str(error)[:74])
    [SqrtBackward0] Function 'SqrtBackward0' returned nan values in its 0th ou
    """

    def __init__(self, check_nan=True):
        self.check_nan = check_nan
        warnings.warn("Anomaly Detection has been enabled. This mode will increase the runtime and should only be "
                      "enabled for debugging.", UserWarning, stacklevel=1)

    def __enter__(self):
        self.before = anomaly, check_nan
        set_anomaly_enabled(True, self.check_nan)

    def __exit__(self, *error):
        set_anomaly_enabled(*self.before)


class set_detect_anomaly:
    """Turn anomaly mode on or off, at once; as a context manager only until the end of the block."""

    def __init__(self, mode, check_nan=True):
        self.before = is_anomaly_enabled(), is_anomaly_check_nan_enabled()
        set_anomaly_enabled(mode, check_nan)

    def __enter__(self):
        pass

    def __exit__(self, *error):
        set_anomaly_enabled(*self.before)


def calling_line():
    """Return ``file:line, in function: source`` of the call into taeda."""
    import traceback
    for frame in reversed(traceback.extract_stack()):
        if not inside(frame.filename):
            return f"{frame.filename}:{frame.lineno}, in {frame.name}: `{frame.line}`"
    return "an unknown line"


def inside(file):
    """Whether a source file belongs to this package."""
    return file.endswith(".pyx") or os.path.dirname(file).startswith(HERE)


HERE = __file__.rpartition("autograd")[0]


cdef int note_origin(object node) except -1:
    import traceback
    node.metadata["traceback_"] = traceback.format_stack()
    node.metadata["line_"] = calling_line()
    if running is not None:
        node.metadata["parent_"] = running
    return 0


def note_write(op, tensor):
    """Remember the line that changes a tensor's storage."""
    writes[tensor.untyped_storage()] = op, calling_line()


def last_write(storage):
    """Return what is known of the last in-place change of a storage, as the end of a sentence."""
    if storage in writes:
        op, line = writes[storage]
        return f"; it was changed by {op} at {line}"
    return "" if anomaly else "; hint: taeda.autograd.set_detect_anomaly(True) shows the line that changed it"


def warn_of(text):
    """Warn; where warnings are errors, print: the error that is under way says more."""
    try:
        warnings.warn(text, UserWarning, stacklevel=3)
    except Warning:
        print(f"UserWarning: {text}", file=sys.stderr)


def blame(node):
    """Warn with the forward calls that led to a node."""
    if "traceback_" not in node.metadata:
        text = " No forward pass information available. Enable detect anomaly during forward pass for more information."
        warn_of(f"Error detected in {node.name()}.{text}")
        return
    text = "".join(node.metadata["traceback_"])
    warn_of(f"Error detected in {node.name()}. Traceback of forward call that caused the error:\n{text}")
    node = node.metadata.get("parent_")
    while node is not None and "traceback_" in node.metadata:
        text = "".join(node.metadata["traceback_"])
        warn_of(f"Previous calculation was induced by {node.name()}. Traceback of forward call that induced the "
                f"previous calculation:\n{text}")
        node = node.metadata.get("parent_")


cdef object guarded(object run_node, object node, object g):
    """Run a node; warn where it came from if it fails, and raise if it makes nan."""
    global running
    before, running = running, node
    try:
        found = run_node(node, g)
        if check_nan:
            for i, x in enumerate(found if isinstance(found, tuple) else (found,)):
                if isinstance(x, TensorBase) and not x.is_meta and bool(x.detach().isnan().any()):
                    raise RuntimeError(f"[{node.name()}] Function '{node.name()}' returned nan values in its {i}th output; the forward "
                                       f"call is at {node.metadata.get('line_', 'a line before anomaly mode was on')}")
        return found
    except Exception:
        blame(node)
        raise
    finally:
        running = before
