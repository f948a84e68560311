"""Where a magazine is gathered from: the sources and their health, a new one; and why a review is where it is."""
