"""Who agreed to what: subscribers, lists, consent, suppression. It never sends and never imports `newsletter`."""
