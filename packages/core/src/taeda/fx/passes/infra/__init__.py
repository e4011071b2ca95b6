"""Classes of passes, and what runs several of them in an order."""

from taeda.fx.passes.infra import pass_base, pass_manager  # noqa: F401
