"""Designs: every one worn by the magazine's own issue, and the values that a newsletter may set in its own."""
