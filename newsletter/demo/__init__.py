"""One command's worth of world: an invented magazine, its readers, a mail server, and the week that joins them."""
