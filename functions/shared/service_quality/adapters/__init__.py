"""What the core needs of the outside: one vendor a module, and no module knows another."""
