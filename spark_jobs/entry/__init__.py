"""What every job's command line shares, with Spark or without: its parser, its exit codes, how it ends."""
