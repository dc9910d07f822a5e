"""What the models foretell: each task with its unit, its features and its place in the registry."""
