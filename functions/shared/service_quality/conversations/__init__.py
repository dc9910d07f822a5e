"""Conversations: the events of a contact, and the turns, replies and state read off them."""
