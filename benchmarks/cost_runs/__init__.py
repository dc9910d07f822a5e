"""The parts of the cost page: logs, their counts, prices, and the page."""
