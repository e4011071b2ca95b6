"""What passes are made with."""

from taeda.fx.passes.utils import matcher_utils  # noqa: F401
