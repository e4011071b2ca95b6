"""Processes of the launcher."""
