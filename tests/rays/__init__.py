"""What `make test-rays` runs for each version of Ray."""
