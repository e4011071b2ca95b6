"""Types in annotations of TorchScript: ``BroadcastingList2[int]`` is a number, or as many as its name says."""

from __future__ import annotations

from typing import Any, Dict as Dict, List as List, Optional as Optional, Tuple as Tuple  # noqa: UP035


class _BroadcastingList:
    """What annotations write; they are not read."""

    def __getitem__(self, types: Any) -> Any:
        return Any


BroadcastingList1: Any = _BroadcastingList()
BroadcastingList2: Any = _BroadcastingList()
BroadcastingList3: Any = _BroadcastingList()
BroadcastingList4: Any = _BroadcastingList()
BroadcastingList5: Any = _BroadcastingList()
BroadcastingList6: Any = _BroadcastingList()
