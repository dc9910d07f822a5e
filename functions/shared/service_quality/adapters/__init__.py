"""Adapters: the core's dependencies, one vendor's library a module; no adapter imports another."""
