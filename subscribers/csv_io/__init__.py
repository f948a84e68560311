"""Subscribers in and out as files.

cells      a value that a spreadsheet could run is guarded on the way out, and comes back as it was
records    bytes of any common encoding -> rows with line numbers; a broken row never takes its neighbours along
xlsx       the first sheet of a workbook -> the same rows
tables     a file -> the tables in it: CSV, XLSX, a zip of CSV files
columns    whose export is this: which column is the address, the name, the language, the proof ...
rows       one row -> what it asks for, or why it can't be read
seen       who was in the rows before
deciding   what a row comes to, against what we know of the person: never revives an unsubscribe or a bounce
writing    what was decided, written
report     counts that add up; the list of differences
looking    a file's first rows, to say what its columns mean before anything is read
importing  all of these, chunk by chunk
exporting  the list as a file that importing reads back
"""

from __future__ import annotations

from subscribers.csv_io.columns import mapping_from
from subscribers.csv_io.exporting import export_lines
from subscribers.csv_io.importing import import_file
from subscribers.csv_io.looking import Look, look
from subscribers.csv_io.report import Differences, ImportReport, Problem

__all__ = ["Differences", "ImportReport", "Look", "Problem", "export_lines", "import_file", "look", "mapping_from"]
