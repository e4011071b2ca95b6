"""Lists and dicts that refuse to be changed: what nodes keep their arguments in, since a change would escape the graph's notice.

>>> from taeda.fx.immutable_collections import immutable_list
>>> immutable_list([1, 2]) + [3]
[1, 2, 3]
"""

from __future__ import annotations

from typing import Any, NoReturn

from taeda.func.pytree import NODES

__all__ = ["immutable_dict", "immutable_list"]


def _refuse(self: Any, *args: Any, **kwargs: Any) -> NoReturn:
    kind = type(self).__name__
    raise TypeError(
        f"[fx] '{kind}' object does not support mutation: a node must hear of new arguments. Make a copy, change that, and assign it: "
        "`node.args = changed` (or node.kwargs, node.update_arg)"
    )


def _frozen(name: str, base: type, changing: str) -> Any:
    """Return a subclass of a container whose changing methods refuse."""
    body: dict[str, Any] = dict.fromkeys(changing.split(), _refuse)
    body["__hash__"] = lambda self: hash(tuple(self.items() if base is dict else self))
    body["__reduce__"] = lambda self: (type(self), (dict(self) if base is dict else list(self),))
    body["__module__"] = __name__
    return type(name, (base,), body)


immutable_list: Any = _frozen(
    "immutable_list", list, "__delitem__ __iadd__ __imul__ __setitem__ append clear extend insert pop remove reverse sort"
)
immutable_dict: Any = _frozen("immutable_dict", dict, "__delitem__ __ior__ __setitem__ clear pop popitem setdefault update")
immutable_list.__doc__ = "A list that cannot be changed."
immutable_dict.__doc__ = "A dict that cannot be changed."

# as trees they are lists and dicts
NODES[immutable_list] = lambda x: (list(x), None), lambda values, _: immutable_list(values)
NODES[immutable_dict] = lambda x: (list(x.values()), list(x)), lambda values, keys: immutable_dict(zip(keys, values, strict=True))
