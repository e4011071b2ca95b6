"""Backward passes that start inside of others: one that lies deep goes on in a thread of its own.

The interpreter limits the calls that are open in a thread, and every pass inside of a pass adds some.  A thread starts counting anew.
"""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable
from typing import Any

from taeda._override import is_casting, mode_stack
from taeda.autograd import dual
from taeda.autograd.grad_mode import _set_grad_enabled, inference_mode, is_grad_enabled, is_inference_mode_enabled
from taeda.func.batched import are_active


def in_its_own_thread(function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    """Return ``function(*args)`` from a thread with this one's grad modes; here where transforms, modes or autocast are on."""
    if mode_stack() or is_casting() or are_active():
        return function(*args)
    recording, inference, asleep = is_grad_enabled(), is_inference_mode_enabled(), dual.is_asleep()
    context = contextvars.copy_context()
    found: list[Any] = []

    def work() -> None:
        _set_grad_enabled(recording)
        dual.set_asleep(asleep)
        try:
            with inference_mode(inference):
                found.append(context.run(function, *args))
        except BaseException as error:
            found.append(None)
            found.append(error)

    thread = threading.Thread(target=work, name="taeda backward", daemon=True)
    thread.start()
    thread.join()
    if len(found) > 1:
        raise found[1]
    return found[0]
