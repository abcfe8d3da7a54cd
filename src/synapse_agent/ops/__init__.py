"""What an operator sees: the process and its health."""
