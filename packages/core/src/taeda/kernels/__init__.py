"""Loops over memory that know no tensor: a folder a device, and the table of formulas that devices share."""
