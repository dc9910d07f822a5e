"""What the section of imports runs."""
