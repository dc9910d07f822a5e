"""The facts that a conversation contributes to the histories of its entities, and the fold that computes them."""
