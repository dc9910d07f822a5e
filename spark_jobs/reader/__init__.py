"""The Spark reader: declared features as columns, equal bit for bit to those served."""
