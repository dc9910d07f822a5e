"""Spark, started with the lake's catalog, the jars and the code that executors need."""
