"""A shop's state and the one transaction that changes it."""
