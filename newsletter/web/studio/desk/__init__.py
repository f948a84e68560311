"""The desk: an issue to work on. `pages` answers; `outline` is its left, `inspector` its right; `saving` writes."""
