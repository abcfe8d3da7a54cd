"""The commands, a module for each group; imported when they are used."""

__all__: list[str] = []
