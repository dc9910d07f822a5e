"""A synthetic world of shops for people without data: seeded, whole conversations, effects planted as data."""
