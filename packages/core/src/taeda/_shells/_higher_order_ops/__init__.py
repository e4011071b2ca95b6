"""The names of ``torch._higher_order_ops``, functions that take functions, as libraries import them."""
