"""What the cost page is made of: logs, what they lead to, prices, and the page."""
