"""The wheel as its users install it: `make test-install`."""
