"""All rules: importing this room fills ``tensor.RULES``."""

from taeda.sparse import rules_form, rules_pointwise, rules_products, rules_reduce, rules_shape

__all__ = ["rules_form", "rules_pointwise", "rules_products", "rules_reduce", "rules_shape"]
