"""The product's own fold and rules over a small log in memory: without AWS, lake or Spark."""
