"""What a conversation contributes to the histories of its entities, and the fold that finds it out."""
