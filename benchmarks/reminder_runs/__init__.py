"""The parts of the reminders' benchmark: turns that wait, subscribers that note arrivals, and disturbances."""
