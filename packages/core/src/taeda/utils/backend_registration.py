"""The name of the kind of device that an extension of PyTorch would add, which copies of its layers ask for; none is added here."""

_privateuse1_backend_name = "privateuseone"
