"""Where the types of compiled modules would be kept, for programs that free them: nothing is compiled here."""

from __future__ import annotations

from typing import Any

__all__: list[str] = []


class ConcreteTypeStore:
    """The compiled types of each class of modules, of which there are none."""

    def __init__(self) -> None:
        self.type_store: dict[type, list[Any]] = {}
        self.methods_compiled: set[Any] = set()


concrete_type_store = ConcreteTypeStore()
