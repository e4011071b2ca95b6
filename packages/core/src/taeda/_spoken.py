"""What the library calls itself where it prints a dtype, a size or a type: ``as_torch`` changes it."""

name: str = "taeda"
