"""PyTorch's operators by their internal names, and what calls and derivatives are when they are taken apart into these.

``operators`` names them; ``calls`` (with its tables ``layers`` and ``views``) says which of them a call is made of, for the modes of
``utils/_python_dispatch``; ``nodes`` are the ones whose backward passes such modes see, by the operators of ``backward``; ``classes``
asks classes with a ``__torch_dispatch__``.  Nothing is imported before somebody asks.
"""
