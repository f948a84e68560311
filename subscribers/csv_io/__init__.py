"""Subscribers in and out as CSV.

cells      a value that a spreadsheet could run is guarded on the way out, and comes back as it was
records    bytes of any common encoding -> rows with line numbers; a broken row never takes its neighbours along
columns    whose export is this: which column is the address, the name, the language ...
rows       one row -> what it asks for, or why it can't be read
importing  what a row asks for, against what we know of the person: never revives an unsubscribe or a bounce
exporting  the list as a file that importing reads back
"""

from __future__ import annotations

from subscribers.csv_io.exporting import export_lines
from subscribers.csv_io.importing import ImportReport, Problem, import_file

__all__ = ["ImportReport", "Problem", "export_lines", "import_file"]
