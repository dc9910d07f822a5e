"""What a shop declares of time, targets and scales, and the time and money that follow from it."""
