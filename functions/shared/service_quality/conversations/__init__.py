"""What a contact's events say together: turns, replies, standing."""
