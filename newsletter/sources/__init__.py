"""Adapters that read a magazine: feed, wordpress, page, folder, paste, memory. None touches the database."""
