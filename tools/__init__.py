"""What prepares and keeps a checkout: environments, Java, lock files. Standard library only."""
