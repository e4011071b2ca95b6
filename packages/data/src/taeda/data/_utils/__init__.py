"""PyTorch's place for what its loader is made of: programs take ``_utils.collate`` and its neighbours from here."""

import atexit

from taeda.data._utils import collate, fetch, pin_memory, signal_handling, worker

__all__ = ["collate", "fetch", "pin_memory", "signal_handling", "worker"]

HAS_NUMPY = True
MP_STATUS_CHECK_INTERVAL = 5.0  # seconds between checks that the other process still runs
python_exit_status = False  # whether the interpreter is going down


def _set_python_exit_flag() -> None:
    global python_exit_status
    python_exit_status = True


atexit.register(_set_python_exit_flag)
signal_handling.is_ending = lambda: python_exit_status
