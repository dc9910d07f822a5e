"""What rules would have done to people on an archived log, beside the rules in force."""
