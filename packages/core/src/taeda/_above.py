"""Calls that go up: what lower rooms ask of higher ones, in one table.

A room imports only from rooms below it.  Some methods of tensors and storages, and some turns that autograd takes, are the business
of a room above; most of these few programs need, and `import taeda` does not load.  Lower rooms call them through this table: a room is
imported when it is first called, and what goes up can be read here.  ``tests/integration/test_rooms.py`` holds that no import does.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any


class Above:
    """A function of a room above, which is imported at the first call."""

    __slots__ = ("name", "room")

    def __init__(self, room: str, name: str) -> None:
        self.room, self.name = f"taeda.{room}", name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        room = sys.modules.get(self.room) or import_module(self.room)
        return getattr(room, self.name)(*args, **kwargs)


def transforms_run() -> bool:
    """Whether a transform is running a function in this thread; none is where their room was never entered."""
    room = sys.modules.get("taeda.func.batched")
    return room is not None and room.are_active()


# methods of storages and tensors
map_file, storage_from_buffer, swap_bytes, file_name = (
    Above("file_memory", name) for name in ("map_file", "from_buffer", "swap_bytes", "name_of"))
share = Above("shared_memory", "share")
load, reduce_tensor = Above("serialization", "load"), Above("serialization", "reduce_tensor")
legacy_new = Above("legacy", "make")

# a device of what stands for a text
overloaded_args = Above("_override", "overloaded_args")

# layouts of few elements
sparse_copy, sparse_empty = Above("sparse.creation", "copy_of"), Above("sparse.creation", "empty_of")
sparse_of_elements, sparse_of_rows = Above("sparse.gradients", "of_elements"), Above("sparse.gradients", "of_rows")

# classes with a ``__torch_dispatch__``, which are told of operators
call_by_operators = Above("_aten.calls", "make")
ask_classes, tell_classes, ask_of_kernel = (Above("_aten.classes", name) for name in ("ask", "told", "by_kernel"))
local_scalar = Above("_aten.operators", "local_scalar")

# autograd: the engine and what stands around it, ops that its passes call, transforms
call_node = Above("autograd.engine", "call_node")
leaf_hook = Above("autograd.leaves", "leaf_hook")
leaf_edge = Above("autograd.node", "leaf_edge")
watch_writes = Above("recording", "watch_writes")
in_its_own_thread = Above("autograd.reentrant", "in_its_own_thread")
empty_like, ones, ones_like, zeros_like = (Above("ops", name) for name in ("empty_like", "ones", "ones_like", "zeros_like"))
view_as_complex, view_as_real = (Above("ops", name) for name in ("view_as_complex", "view_as_real"))
apply_to_batches, batched = Above("func.custom", "apply_to_batches"), Above("func.batched", "batched")
convolution_of_batches = Above("func.convolutions", "of_batches")
cut_tape, vmap = Above("func.tape", "cut"), Above("func.vmap", "vmap")
matrix_norm = Above("ops.matrix_norm", "linalg_matrix_norm")
