"""What converting a module does to its parameters: ``taeda.__future__``, which ``nn.Module.to`` and ``load_state_dict`` ask."""

from __future__ import annotations

from taeda.settings import CONVERSION

__all__ = [
    "get_overwrite_module_params_on_conversion", "get_swap_module_params_on_conversion",
    "set_overwrite_module_params_on_conversion", "set_swap_module_params_on_conversion",
]  # fmt: skip


def set_overwrite_module_params_on_conversion(value: bool) -> None:
    """Let ``nn.Module.to`` and kin put new parameters in place of the old ones, which stay as they are.

    >>> import taeda
    >>> taeda.__future__.set_overwrite_module_params_on_conversion(False)
    """
    CONVERSION["overwrite"] = bool(value)


def get_overwrite_module_params_on_conversion() -> bool:
    """Return what :func:`set_overwrite_module_params_on_conversion` was told; False at first."""
    return CONVERSION["overwrite"]


def set_swap_module_params_on_conversion(value: bool) -> None:
    """Let ``nn.Module.to``, kin and ``load_state_dict`` exchange old parameters and new ones by ``utils.swap_tensors``.

    The object stays, so that optimizers go on with it, also where the device or the class changes; it comes before
    :func:`set_overwrite_module_params_on_conversion`.  ``load_state_dict`` asks ``param.module_load(loaded)`` for what to exchange with.

    >>> import taeda
    >>> taeda.__future__.set_swap_module_params_on_conversion(False)
    """
    CONVERSION["swap"] = bool(value)


def get_swap_module_params_on_conversion() -> bool:
    """Return what :func:`set_swap_module_params_on_conversion` was told; False at first."""
    return CONVERSION["swap"]
