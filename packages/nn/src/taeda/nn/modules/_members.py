"""The part of ``Module`` that finds what is below it: modules, parameters and buffers, by path and one after another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from taeda import Tensor
from taeda.nn.parameter import Parameter

if TYPE_CHECKING:
    from taeda.nn.modules.module import Module


def _member(module: Any, name: str, target: str) -> Any:
    """Return the attribute ``name`` of a module, a step on the path ``target``."""
    if not hasattr(module, name):
        held = ", ".join(module._modules) or "none"
        raise AttributeError(f"[Module] {type(module).__name__} has no attribute `{name}`, on the path {target!r}; its modules: {held}")
    return getattr(module, name)


class MemberMethods:
    """The part of ``Module`` that lists its members."""

    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    if TYPE_CHECKING:  # typing.get_type_hints would not find the name
        _modules: dict[str, Module | None]

    def get_submodule(self, target: str) -> Module:
        """Return the module at the dotted path ``target``; "" is this one.

        Raises:
            AttributeError: there is none.

        >>> from taeda import nn
        >>> nn.Sequential(nn.Sequential(nn.ReLU())).get_submodule("0.0")
        ReLU()
        """
        module: Any = self
        for name in target.split(".") if target else ():
            module = _member(module, name, target)
            if not isinstance(module, MemberMethods):
                raise AttributeError(f"[get_submodule] `{name}` is not an nn.Module, but a {type(module).__name__}; on the path {target!r}")
        return module

    def set_submodule(self, target: str, module: Module, strict: bool = False) -> None:
        """Put ``module`` at the dotted path ``target``; with ``strict`` only where there is one already.

        Raises:
            ValueError: the path is empty, or ``module`` is not a Module.
            AttributeError: something on the path is not a Module.

        >>> from taeda import nn
        >>> net = nn.Sequential(nn.Sequential(nn.Linear(2, 2), nn.ReLU()))
        >>> net.set_submodule("0.1", nn.GELU())
        >>> net.get_submodule("0.1")
        GELU(approximate='none')
        """
        if target == "":
            raise ValueError("[set_submodule] Cannot set the submodule without a target name! It is a path such as 'encoder.0'")
        if not isinstance(module, MemberMethods):
            raise ValueError(f"[set_submodule] `module` is not an nn.Module, found {type(module)}")
        path, _, name = target.rpartition(".")
        parent = self.get_submodule(path)
        there = _member(parent, name, target) if strict or hasattr(parent, name) else module
        if not isinstance(there, MemberMethods):
            raise AttributeError(f"[set_submodule] `{name}` is not an nn.Module, but a {type(there).__name__}; on the path {target!r}")
        setattr(parent, name, module)

    def get_parameter(self, target: str) -> Parameter:
        """Return the parameter at the dotted path ``target``.

        Raises:
            AttributeError: there is none.

        >>> from taeda import nn
        >>> nn.Sequential(nn.Linear(2, 3)).get_parameter("0.bias").shape
        taeda.Size([3])
        """
        path, _, name = target.rpartition(".")
        param = _member(self.get_submodule(path), name, target)
        if not isinstance(param, Parameter):
            raise AttributeError(f"[get_parameter] `{name}` is not an nn.Parameter, but a {type(param).__name__}; on the path {target!r}")
        return param

    def get_buffer(self, target: str) -> Tensor:
        """Return the buffer at the dotted path ``target``.

        Raises:
            AttributeError: there is none.

        >>> from taeda import nn
        >>> nn.Sequential(nn.BatchNorm1d(3)).get_buffer("0.running_var")
        tensor([1., 1., 1.])
        """
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        found = _member(module, name, target)
        if name not in module._buffers:
            raise AttributeError(f"[get_buffer] `{name}` is not a buffer, but a {type(found).__name__}; on the path {target!r}")
        return module._buffers[name]  # type: ignore[return-value]

    def named_modules(
        self, memo: set[Module] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """Yield the name and the object of this module ("") and of every one below it.

        >>> from taeda import nn
        >>> [name for name, _ in nn.Sequential(nn.ReLU(), nn.Sequential(nn.Tanh())).named_modules()]
        ['', '0', '1', '1.0']
        """
        this: Any = self
        memo = set() if memo is None else memo
        if this in memo:
            return
        if remove_duplicate:
            memo.add(this)
        yield prefix, this
        for name, module in self._modules.items():
            if module is not None:
                yield from module.named_modules(
                    memo, f"{prefix}.{name}" if prefix else name, remove_duplicate
                )

    def modules(self, remove_duplicate: bool = True) -> Iterator[Module]:
        """Yield this module and every one below it, each once.

        >>> from taeda import nn
        >>> [type(m).__name__ for m in nn.Sequential(nn.ReLU(), nn.Sequential(nn.Tanh())).modules()]
        ['Sequential', 'ReLU', 'Sequential', 'Tanh']
        """
        if remove_duplicate:
            return self._walk(set())
        return (module for _, module in self.named_modules(remove_duplicate=False))

    def _walk(self, seen: set[Module]) -> Iterator[Module]:
        """Yield what ``named_modules`` does, without names and without a generator a level: a third of the time."""
        this: Any = self
        waiting: list[Module | None] = [this]
        while waiting:
            module = waiting.pop()
            if module is None or module in seen:
                continue
            if type(module).named_modules is not MemberMethods.named_modules:           # a class that shows other modules
                yield from [below for _, below in module.named_modules(seen)]
                continue
            seen.add(module)
            yield module
            if module._modules:                            # read afterwards: the caller may have replaced them
                waiting.extend(reversed(module._modules.values()))

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """Yield name and object of the modules directly below this one, each object once.

        >>> from taeda import nn
        >>> [name for name, _ in nn.Sequential(nn.ReLU(), nn.Sequential(nn.Tanh())).named_children()]
        ['0', '1']
        """
        seen: set[Module] = set()
        for name, module in self._modules.items():
            if module is not None and module not in seen:
                seen.add(module)
                yield name, module

    def children(self) -> Iterator[Module]:
        """Yield the modules directly below this one.

        >>> from taeda import nn
        >>> [type(m).__name__ for m in nn.Sequential(nn.ReLU(), nn.Sequential(nn.Tanh())).children()]
        ['ReLU', 'Sequential']
        """
        for _, module in self.named_children():
            yield module

    def _named_members(
        self,
        get_members_fn: Callable[[Module], Any],
        prefix: str = "",
        recurse: bool = True,
        remove_duplicate: bool = True,
    ) -> Iterator[tuple[str, Any]]:
        seen: set[Any] = set()
        if recurse:
            modules: Any = self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate)
        else:
            modules = [(prefix, self)]
        for path, module in modules:
            for name, value in get_members_fn(module):
                if value is not None and id(value) not in seen:
                    if remove_duplicate:
                        seen.add(id(value))
                    yield (f"{path}.{name}" if path else name), value

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """Yield name and object of each parameter, of this module and, with ``recurse``, of all below.

        Args:
            prefix: stands before every name.
            remove_duplicate: whether a parameter that has several names comes once, under the first.

        >>> from taeda import nn
        >>> net = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1, bias=False))
        >>> [(name, tuple(p.shape)) for name, p in net.named_parameters()]
        [('0.weight', (3, 2)), ('0.bias', (3,)), ('1.weight', (1, 3))]
        """
        return self._named_members(lambda m: m._parameters.items(), prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """Yield each parameter once: what an optimizer is given.

        >>> from taeda import nn
        >>> sum(p.numel() for p in nn.Linear(2, 3).parameters())
        9
        """
        if type(self).named_parameters is not MemberMethods.named_parameters:
            yield from [param for _, param in self.named_parameters(recurse=recurse)]
            return
        seen: set[int] = set()
        for module in self._walk(set()) if recurse else (self,):
            if module._parameters:
                for param in module._parameters.values():
                    if param is not None and id(param) not in seen:
                        seen.add(id(param))
                        yield param

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """Yield name and object of each buffer, of this module and, with ``recurse``, of all below; arguments as ``named_parameters``.

        >>> from taeda import nn
        >>> [name for name, _ in nn.Sequential(nn.BatchNorm1d(3)).named_buffers()]
        ['0.running_mean', '0.running_var', '0.num_batches_tracked']
        """
        return self._named_members(lambda m: m._buffers.items(), prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """Yield each buffer once.

        >>> from taeda import nn
        >>> [b.tolist() for b in nn.BatchNorm1d(1).buffers()]
        [[0.0], [1.0], 0]
        """
        for _, buf in self.named_buffers(recurse=recurse):
            yield buf
