"""The lake: Iceberg tables that a repeated run does not change."""
