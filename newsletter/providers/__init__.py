"""Adapters that carry a finished message away: smtp, esp, outbox, memory. None touches the database."""
